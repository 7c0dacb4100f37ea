"""Payments over REST: the one door that card numbers come in by."""

from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, SecretStr

from modules.payments.interface import Challenge, ChallengeState, Payments
from monolift import Money, use

router = Router(tags=["payments"])
payments = use(Payments)


class CardIn(Schema):
    """Card details. They are exchanged for a token at once and kept nowhere."""

    number: Annotated[SecretStr, Field(min_length=1, max_length=30)]
    expiry: Annotated[str, Field(pattern=r"^[0-9]{2}/[0-9]{2}$")]
    cvc: Annotated[SecretStr, Field(min_length=1, max_length=4)]


class TokenOut(Schema):
    """Stands for the card; give it as `card_token`."""

    token: str


class MoneyOut(Schema):
    """An exact amount: `amount` minor units (cents, yen, fils) of `currency` (ISO 4217)."""

    amount: int
    currency: str


class ChallengeIn(Schema):
    """A payment that is about to be made. `reference` is yours, for finding the way back."""

    card_token: Annotated[str, Field(min_length=1, max_length=100)]
    amount: Annotated[int, Field(strict=True, ge=0, le=10**15)]
    currency: Literal["EUR", "USD", "JPY", "KWD"]
    reference: UUID


class ChallengeOut(Schema):
    """What the customer's bank asks for: send the customer to `url`, and pay when it has passed."""

    id: UUID
    url: str
    reference: UUID
    amount: MoneyOut
    state: ChallengeState


@router.post("/tokens", response={201: TokenOut})
def create_token(request: HttpRequest, body: CardIn) -> Status[dict[str, str]]:
    """Exchange card details for a token."""
    number, cvc = body.number.get_secret_value(), body.cvc.get_secret_value()
    token = payments.tokenise(number=number, expiry=body.expiry, cvc=cvc)
    return Status(201, {"token": token})


@router.post("/challenges", response={201: ChallengeOut, 204: None})
def create_challenge(request: HttpRequest, body: ChallengeIn) -> Status[Challenge | None]:
    """Ask whether the card needs 3-D Secure; 204 when it does not."""
    amount = Money(body.amount, body.currency)
    found = payments.challenge(card_token=body.card_token, amount=amount, reference=body.reference)
    return Status(204 if found is None else 201, found)


@router.get("/challenges/{uuid:challenge_id}", response=ChallengeOut)
def challenge(request: HttpRequest, challenge_id: UUID) -> Challenge:
    """Where an authentication stands."""
    return payments.challenge_details(challenge_id=challenge_id)
