"""Payments over REST: the one door that card numbers come in by."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, SecretStr

from modules.payments.interface import Payments
from monolift import use

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


@router.post("/tokens", response={201: TokenOut})
def create_token(request: HttpRequest, body: CardIn) -> Status[dict[str, str]]:
    """Exchange card details for a token."""
    number, cvc = body.number.get_secret_value(), body.cvc.get_secret_value()
    token = payments.tokenise(number=number, expiry=body.expiry, cvc=cvc)
    return Status(201, {"token": token})
