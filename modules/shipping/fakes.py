"""Shipping in memory, for the tests of modules that require it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from modules.shipping.events import ShipmentBooked, ShipmentCancelled, ShipmentDelivered
from modules.shipping.interface import (
    AlreadyShipped,
    NotOnItsWay,
    ParcelLine,
    Rate,
    Recipient,
    Shipment,
    ShipmentNotFound,
    ShipmentState,
    Shipping,
)
from modules.shipping.queries import rates as rate_queries
from monolift.testing.announcing import announce


class FakeShipping(Shipping):
    """Its rates are the real ones. The carrier comes when `hand_over` says so."""

    def __init__(self) -> None:
        self._shipments: dict[UUID, Shipment] = {}

    def rates(self, *, country: str, currency: str) -> Sequence[Rate]:
        return rate_queries.rates(country=country, currency=currency)

    def rate(self, *, country: str, currency: str, method: str) -> Rate:
        return rate_queries.rate(country=country, currency=currency, method=method)

    def book(
        self,
        *,
        order_id: UUID,
        method: str,
        recipient: Recipient,
        parcel: Sequence[ParcelLine],
        customer_id: UUID | None = None,
    ) -> Shipment:
        new = Shipment(
            order_id=order_id, state=ShipmentState.ORDERED, method=method, tracking="", carrier=""
        )
        return self._shipments.setdefault(order_id, new)

    def hand_over(self, *, order_id: UUID, tracking: str = "TRACK-1") -> None:
        """Give the parcel to the carrier."""
        self._move(order_id, ShipmentState.BOOKED, tracking=tracking, carrier="Fake")
        announce(ShipmentBooked(order_id=order_id, tracking=tracking, carrier="Fake"))

    def cancel(self, *, order_id: UUID) -> None:
        nothing = Shipment(
            order_id=order_id, state=ShipmentState.ORDERED, method="", tracking="", carrier=""
        )
        known = self._shipments.setdefault(order_id, nothing)
        if known.state is ShipmentState.CANCELLED:
            return
        if known.state is not ShipmentState.ORDERED:
            raise AlreadyShipped(order_id=order_id)
        self._move(order_id, ShipmentState.CANCELLED)
        announce(ShipmentCancelled(order_id=order_id))

    def mark_delivered(self, *, order_id: UUID) -> None:
        known = self.shipment(order_id=order_id)
        if known.state is ShipmentState.DELIVERED:
            return
        if known.state is not ShipmentState.BOOKED:
            raise NotOnItsWay(order_id=order_id, state=known.state)
        self._move(order_id, ShipmentState.DELIVERED)
        announce(ShipmentDelivered(order_id=order_id))

    def shipment(self, *, order_id: UUID) -> Shipment:
        if order_id not in self._shipments:
            raise ShipmentNotFound(order_id=order_id)
        return self._shipments[order_id]

    def _move(self, order_id: UUID, state: ShipmentState, **changes: str) -> None:
        known = self.shipment(order_id=order_id)
        self._shipments[order_id] = msgspec.structs.replace(known, state=state, **changes)
