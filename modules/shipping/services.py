"""Writes of shipping, and the interface they answer."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
from django.conf import settings

from modules.shipping import models
from modules.shipping.events import ShipmentCancelled, ShipmentDelivered
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
from modules.shipping.queries import shipments as shipment_queries
from modules.shipping.tasks import hand_over
from monolift import atomic, publish
from monolift.kernel import clock

_State = models.Shipment.State


class ShippingService(Shipping):
    """Answers `Shipping`."""

    def rates(self, *, country: str, currency: str) -> Sequence[Rate]:
        """See `Shipping.rates`."""
        return rate_queries.rates(country=country, currency=currency)

    def rate(self, *, country: str, currency: str, method: str) -> Rate:
        """See `Shipping.rate`."""
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
        """See `Shipping.book`."""
        row = models.Shipment(
            order_id=order_id,
            customer_id=customer_id,
            method=method,
            recipient=msgspec.to_builtins(recipient),
            parcel=msgspec.to_builtins(list(parcel)),
            ordered_at=clock.now(),
        )
        with atomic():
            # A second one is ignored, and its hand-over finds nothing left to do.
            models.Shipment.objects.bulk_create([row], ignore_conflicts=True)
            known = shipment_queries.shipment(order_id=order_id)
            if known.state is ShipmentState.ORDERED:
                packed: int = settings.SHIPPING["HAND_OVER_AFTER"]
                hand_over.after(timedelta(seconds=packed)).enqueue(order_id=order_id)
        return known

    def cancel(self, *, order_id: UUID) -> None:
        """See `Shipping.cancel`."""
        # Where there is no shipment yet, one of nothing to nobody: a booking that is still on its
        # way finds it there, cancelled.
        row = models.Shipment(
            order_id=order_id, method="", recipient={}, parcel=[], ordered_at=clock.now()
        )
        with atomic():
            models.Shipment.objects.bulk_create([row], ignore_conflicts=True)
            ordered = models.Shipment.objects.filter(pk=order_id, state=_State.ORDERED)
            if ordered.update(state=_State.CANCELLED):
                publish(ShipmentCancelled(order_id=order_id))
                return
            if models.Shipment.objects.get(pk=order_id).state != _State.CANCELLED:
                raise AlreadyShipped(order_id=order_id)

    def mark_delivered(self, *, order_id: UUID) -> None:
        """See `Shipping.mark_delivered`."""
        with atomic():
            booked = models.Shipment.objects.filter(pk=order_id, state=_State.BOOKED)
            if booked.update(state=_State.DELIVERED):
                publish(ShipmentDelivered(order_id=order_id))
                return
            row = models.Shipment.objects.filter(pk=order_id).first()
            if row is None:
                raise ShipmentNotFound(order_id=order_id)
            if row.state != _State.DELIVERED:
                raise NotOnItsWay(order_id=order_id, state=row.state)

    def shipment(self, *, order_id: UUID) -> Shipment:
        """See `Shipping.shipment`."""
        return shipment_queries.shipment(order_id=order_id)
