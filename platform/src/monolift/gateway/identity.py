"""Who calls: the user that the edge has authenticated, as its endpoints and its modules know them.

The edge, which alone knows users, sessions and tokens, puts a `Caller` into `request.auth` (where
django-ninja puts what an authentication returns). A module's endpoint reads it with `caller()` and
knows a user by id only. The modules behind it ask `end_user()`.

Before the edge deletes a user it sends `leaving`, with the `user_id`, outside any transaction. What
is kept of them is erased then; a receiver that raises keeps the user, who can be deleted again.
"""

from uuid import UUID

from django.dispatch import Signal
from django.http import HttpRequest

from monolift.kernel import DomainError
from monolift.registry.callers import Caller

leaving = Signal()


class NotSignedIn(DomainError, status=401):
    """This needs a signed-in user: send a session's cookie or an Authorization header."""


def caller(request: HttpRequest) -> Caller:
    """Who calls. Raises NotSignedIn also where no authentication guards the endpoint."""
    found = known_caller(request)
    if found is None:
        raise NotSignedIn
    return found


def known_caller(request: HttpRequest) -> Caller | None:
    """Who calls, at an endpoint that takes anonymous requests too; None for those."""
    found = getattr(request, "auth", None)
    return found if isinstance(found, Caller) else None


def acts_for(request: HttpRequest) -> Caller | None:
    """Whom a request acts for: its `Caller`, or who is signed in at a page of Django's.

    A session counts only where Django has checked that a page of ours sends it (CSRF), and only
    users whose key is a UUID are known so. No header of the request says who somebody is.
    """
    found = known_caller(request)
    if found is not None:
        return found
    match = request.resolver_match
    user = getattr(request, "user", None)
    if user is None or match is None or getattr(match.func, "csrf_exempt", False):
        return None
    return Caller(user_id=user.pk) if user.is_authenticated and isinstance(user.pk, UUID) else None
