"""What shipping provides."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from monolift.kernel import DomainError, Dto, Interface, Money, command, query


class NoSuchMethod(DomainError, status=422):
    """We do not deliver to {country} by {method}."""

    country: str
    method: str


class ShipmentNotFound(DomainError, status=404):
    """There is no shipment for {order_id}."""

    order_id: UUID


class AlreadyShipped(DomainError, status=409):
    """The parcel for {order_id} is with the carrier already."""

    order_id: UUID


class NotOnItsWay(DomainError, status=409):
    """The shipment for {order_id} is {state}, so it cannot have arrived."""

    order_id: UUID
    state: str


class ShipmentState(StrEnum):
    """The life of a shipment."""

    ORDERED = "ordered"
    BOOKED = "booked"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class Rate(Dto):
    """A way of delivery: its net price, and the days it takes at most."""

    method: str
    title: str
    price: Money
    days: int


class Recipient(Dto):
    """Whom a parcel goes to; `country` is ISO 3166-1 alpha-2."""

    name: str
    street: str
    city: str
    postcode: str
    country: str


class ParcelLine(Dto):
    """What goes into the box."""

    sku: str
    title: str
    quantity: int


class Shipment(Dto):
    """A shipment; `tracking` and `carrier` are empty until the carrier has it.

    `method` is empty for one that was cancelled before it was booked.
    """

    order_id: UUID
    state: ShipmentState
    method: str
    tracking: str
    carrier: str


class Shipping(Interface, Protocol, version=1):
    """Rates and shipments."""

    @query(timeout=2)
    def rates(self, *, country: str, currency: str) -> Sequence[Rate]:
        """The ways of delivery to a country, the cheapest first; none where we do not deliver."""
        ...

    @query(timeout=2, raises=NoSuchMethod)
    def rate(self, *, country: str, currency: str, method: str) -> Rate:
        """What one way of delivery costs."""
        ...

    @command(timeout=5)
    def book(
        self,
        *,
        order_id: UUID,
        method: str,
        recipient: Recipient,
        parcel: Sequence[ParcelLine],
        customer_id: UUID | None = None,
    ) -> Shipment:
        """Have an order delivered, once. `ShipmentBooked` says when the carrier has it.

        One that was booked or cancelled before is answered as it stands.
        `customer_id` is by whom the recipient is forgotten when they ask for it.
        """
        ...

    @command(timeout=5, raises=AlreadyShipped)
    def cancel(self, *, order_id: UUID) -> None:
        """Keep the parcel here, also one that is booked only later. Saying it twice is harmless."""
        ...

    @command(timeout=5, raises=(ShipmentNotFound, NotOnItsWay))
    def mark_delivered(self, *, order_id: UUID) -> None:
        """The parcel has arrived. Saying it twice is harmless."""
        ...

    @query(timeout=2, raises=ShipmentNotFound)
    def shipment(self, *, order_id: UUID) -> Shipment:
        """The shipment of an order."""
        ...
