"""Who calls: what an endpoint may know of the user that the edge has authenticated.

The edge, which alone knows users, sessions and tokens, puts a `Caller` into `request.auth` (where
django-ninja puts what an authentication returns). A module's endpoint reads it with `caller()` and
knows a user by id only.
"""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest

from monolift.kernel import DomainError

READ, WRITE = "read", "write"


class NotSignedIn(DomainError, status=401):
    """This needs a signed-in user: send a session's cookie or an Authorization header."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """An authenticated user, and what they may do with the credential they showed."""

    user_id: UUID
    scopes: frozenset[str] = frozenset({READ, WRITE})


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
