"""Shipping over REST. Who knows an order's id may follow its parcel."""

from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from modules.shipping.interface import Rate, Shipment, Shipping
from monolift import use

router = Router(tags=["shipping"])
shipping = use(Shipping)

Currency = Literal["EUR", "USD", "JPY", "KWD"]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class MoneyOut(Schema):
    """An exact amount: `amount` minor units (cents, yen, fils) of `currency` (ISO 4217)."""

    amount: int
    currency: str


class RateOut(Schema):
    """A way of delivery: its net price, and the days it takes at most."""

    method: str
    title: str
    price: MoneyOut
    days: int


class ShipmentOut(Schema):
    """A shipment: `ordered`, `booked`, `delivered` or `cancelled`.

    `method` is empty for one that was cancelled before it was booked.
    """

    order_id: UUID
    state: str
    method: str
    tracking: str
    carrier: str


@router.get("/rates", response=list[RateOut])
def rates(
    request: HttpRequest, country: Annotated[Country, Query()], currency: Currency = "EUR"
) -> list[Rate]:
    """The ways of delivery to a country, the cheapest first; none where we do not deliver."""
    return list(shipping.rates(country=country, currency=currency))


@router.get("/shipments/{order_id}", response=ShipmentOut)
def shipment(request: HttpRequest, order_id: UUID) -> Shipment:
    """The shipment of an order."""
    return shipping.shipment(order_id=order_id)
