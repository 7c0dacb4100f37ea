"""API tokens: made, found, revoked."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from config.identity.models import ApiToken, User
from config.identity.secret import digest, new_secret
from monolift.kernel import clock
from monolift.registry.callers import READ, WRITE

PREFIX = "mls_"
"""By which a scanner knows a token that somebody committed."""

MOST = 50
"""How many live tokens a user may have."""

_NOTED = timedelta(minutes=1)
"""How exact `last_used_at` is: not every request writes."""


class TooManyTokens(Exception):
    """The user has as many live tokens as anybody may have."""


def make(*, user: User, name: str, lifetime: timedelta, may_write: bool) -> tuple[ApiToken, str]:
    """A token and its secret, which is not kept. Raises TooManyTokens."""
    secret, now = new_secret(PREFIX), clock.now()
    with transaction.atomic():
        # One at a time, so that the count holds.
        User.objects.select_for_update().get(pk=user.pk)
        user.tokens.filter(expires_at__lt=now).delete()
        if user.tokens.filter(revoked_at=None).count() >= MOST:
            raise TooManyTokens
        token = ApiToken.objects.create(
            user=user,
            name=name,
            digest=digest(secret),
            may_write=may_write,
            created_at=now,
            expires_at=now + lifetime,
        )
    return token, secret


def live_token(secret: str) -> ApiToken | None:
    """A token that works, with its user; none of a locked user's does."""
    now = clock.now()
    rows = ApiToken.objects.filter(digest=digest(secret), user__is_active=True)
    token = rows.filter(revoked_at=None, expires_at__gt=now).select_related("user").first()
    if token is None:
        return None
    if token.last_used_at is None or token.last_used_at < now - _NOTED:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def scopes(token: ApiToken) -> frozenset[str]:
    """What the token is good for."""
    return frozenset({READ, WRITE} if token.may_write else {READ})


def live(*, user_id: UUID, now: datetime) -> Sequence[ApiToken]:
    """The user's tokens that work, the newest first."""
    rows = ApiToken.objects.filter(user_id=user_id, revoked_at=None, expires_at__gt=now)
    return list(rows.order_by("-id"))


def revoke(*, user_id: UUID, token_id: UUID) -> bool:
    """End a token at once; False when the user has none of that id. Twice is harmless."""
    rows = ApiToken.objects.filter(pk=token_id, user_id=user_id)
    return bool(rows.filter(revoked_at=None).update(revoked_at=clock.now())) or rows.exists()
