"""Shipments, from the database."""

from uuid import UUID

from modules.shipping import models
from modules.shipping.interface import Shipment, ShipmentNotFound, ShipmentState


def shipment(*, order_id: UUID) -> Shipment:
    """The shipment of an order."""
    row = models.Shipment.objects.filter(pk=order_id).first()
    if row is None:
        raise ShipmentNotFound(order_id=order_id)
    return shown(row)


def shown(row: models.Shipment) -> Shipment:
    """A row as others see it."""
    return Shipment(
        order_id=row.order_id,
        state=ShipmentState(row.state),
        method=row.method,
        tracking=row.tracking,
        carrier=row.carrier,
    )
