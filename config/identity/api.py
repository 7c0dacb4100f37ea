"""Tokens over REST."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from pydantic import Field

from config.identity import tokens
from config.identity.authentication import signed_in
from config.identity.models import ApiToken, User
from monolift.gateway.identity import caller
from monolift.gateway.problems import problem
from monolift.kernel import clock

router = Router(tags=["tokens"])

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"


class TokenIn(Schema):
    """Whose token, what for, and for how long."""

    email: Annotated[str, Field(min_length=1, max_length=254, pattern=_PRINTABLE)]
    password: Annotated[str, Field(min_length=1, max_length=1000)]
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=_PRINTABLE)] = "API"
    expires_in_days: Annotated[int, Field(ge=1, le=365)] = 90
    read_only: bool = False


class TokenOut(Schema):
    """A token, without its secret."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, token: ApiToken) -> "TokenOut":
        """The token as its owner sees it."""
        return cls(
            id=token.id,
            name=token.name,
            scopes=sorted(tokens.scopes(token)),
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
        )


class NewTokenOut(TokenOut):
    """A token with its secret, which is never shown again."""

    token: str


@router.post("", response={201: NewTokenOut})
def make(
    request: HttpRequest, response: HttpResponse, body: TokenIn
) -> Status[NewTokenOut] | HttpResponse:
    """Make a token. Its secret is in this answer only; each request makes another."""
    user = authenticate(request, username=body.email, password=body.password)
    if not isinstance(user, User):
        return problem(
            status=401,
            code="wrong_credentials",
            title="Wrong credentials",
            detail="The email address or the password is wrong.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    try:
        token, secret = tokens.make(
            user=user,
            name=body.name,
            lifetime=timedelta(days=body.expires_in_days),
            may_write=not body.read_only,
        )
    except tokens.TooManyTokens:
        raise HttpError(
            409, f"You have {tokens.MOST} tokens, and nobody may have more: revoke one first."
        ) from None
    response["Cache-Control"] = "no-store"
    return Status(201, NewTokenOut(token=secret, **TokenOut.of(token).dict()))


@router.get("", response=list[TokenOut], auth=signed_in)
def live(request: HttpRequest) -> list[TokenOut]:
    """Your tokens that work, the newest first."""
    found = tokens.live(user_id=caller(request).user_id, now=clock.now())
    return [TokenOut.of(token) for token in found]


@router.delete("/{token_id}", response={204: None}, auth=signed_in)
def revoke(request: HttpRequest, token_id: UUID) -> Status[None]:
    """End one of your tokens at once. Ending it twice is harmless."""
    if not tokens.revoke(user_id=caller(request).user_id, token_id=token_id):
        raise HttpError(404, f"You have no token {token_id}.")
    return Status(204, None)
