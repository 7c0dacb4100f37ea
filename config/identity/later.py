"""What somebody sees who tried too often (429, RFC 6585, 4), or whose mail cannot be sent (503)."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.identity.mail import MailNotSent
from config.identity.throttle import TooManyAttempts
from monolift.gateway.problems import problem

_MAIL_RETRY = "300"


class TryLaterMiddleware:
    """Answers for every page that checks a password or sends mail, the admin's too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page, when that was the reason."""
        if isinstance(error, TooManyAttempts):
            minutes = -(-error.retry_after // 60)
            context = {"minutes": minutes}
            response = render(request, "identity/throttled.html", context, status=429)
            response["Retry-After"] = str(error.retry_after)
        elif isinstance(error, MailNotSent):
            response = render(request, "identity/no_mail.html", status=503)
            response["Retry-After"] = _MAIL_RETRY
        else:
            return None
        response["Cache-Control"] = "private, no-store"
        return response


def throttled(request: HttpRequest, error: Any) -> HttpResponse:
    """The same for the REST API: the answer to `TooManyAttempts`."""
    return problem(
        status=429,
        code="too_many_attempts",
        detail=f"Try again in {error.retry_after} seconds.",
        headers={"Retry-After": str(error.retry_after)},
    )
