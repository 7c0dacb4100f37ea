"""Browsers that know an account's password, so that nobody can lock its owner out of them.

Tries are counted by account, and whoever knows an address can use them up. A browser in which
somebody has signed in before therefore has tries of its own (OWASP, "Slow Down Online Guessing
Attacks with Device Cookies"): its cookie names the account by a digest, and proves nothing else.
"""

from collections.abc import Callable
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse

from config.identity.secret import digest

COOKIE = "device"
_MAX_AGE = 365 * 24 * 3600
_TO_KEEP = "_identity_device"

_signer = TimestampSigner(salt="config.identity.devices")


def device_of(request: HttpRequest, email: str) -> str | None:
    """What the browser is called, if somebody has signed in to this account with it."""
    try:
        value = _signer.unsign(request.COOKIES.get(COOKIE, ""), max_age=_MAX_AGE)
    except BadSignature:
        return None
    name, _, account = value.partition(".")
    return name if account == digest(email.lower()) else None


def remember(request: HttpRequest, email: str) -> None:
    """Let the answer to this request make its browser one that knows the account."""
    name = device_of(request, email) or token_hex(16)
    setattr(request, _TO_KEEP, _signer.sign(f"{name}.{digest(email.lower())}"))


def remember_sign_in(*, request: HttpRequest | None, user: Any, **_: Any) -> None:
    """Remember whoever signed in; receives `user_logged_in`."""
    if request is not None:
        remember(request, user.get_username())


class DeviceMiddleware:
    """Sends the cookie of a browser that was to be remembered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        response = self.get_response(request)
        if value := getattr(request, _TO_KEEP, ""):
            response.set_cookie(
                COOKIE,
                value,
                max_age=_MAX_AGE,
                httponly=True,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )
        return response
