"""Who calls the REST API: by token, or by the session of a page, which then must prove its origin.

Mount a router with `auth=signed_in`, or with `auth=anyone` where a caller may stay unknown. Its
endpoints read `monolift.gateway.identity.caller`.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from config.identity import tokens
from monolift.registry.callers import WRITE, Caller

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class BearerToken(HttpBearer):
    """`Authorization: Bearer mls_...` (RFC 6750)."""

    def __call__(self, request: HttpRequest) -> Caller | None:
        """Who holds the token; None without a valid one."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        return self.authenticate(request, secret.strip()) if scheme.lower() == "bearer" else None

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        """Who holds the token. A token that may only read is refused elsewhere (403)."""
        found = tokens.live_token(token)
        if found is None:
            return None
        known = Caller(user_id=found.user_id, scopes=tokens.scopes(found))
        if request.method not in _SAFE and WRITE not in known.scopes:
            raise HttpError(403, "This token may only read.")
        # For Django's permissions: not the user of a session that came along.
        request.user = found.user
        return known


class SessionCookie(APIKeyCookie):
    """The cookie of a signed-in page; what changes something needs the CSRF token as well."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Caller | None:
        """Who is signed in. Never instead of a token that was sent, and is not valid."""
        if "Authorization" in request.headers:
            return None
        return self.authenticate(request, request.COOKIES.get(self.param_name))

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        """Who is signed in."""
        if key is None or not request.user.is_authenticated:
            return None
        if check_csrf(request) is not None:
            raise HttpError(
                403,
                "A request with a session's cookie must carry the CSRF token: send the value of "
                f"the cookie {settings.CSRF_COOKIE_NAME} as X-CSRFToken.",
            )
        return Caller(user_id=request.user.pk)


def unknown(request: HttpRequest) -> Any:
    """Lets in whoever shows no credential. It is no `Caller`."""
    return "Authorization" not in request.headers


signed_in = (BearerToken(), SessionCookie())
anyone = (*signed_in, unknown)
