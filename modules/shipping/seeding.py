"""Past shipments by the million; see `manage.py seed`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from modules.shipping.interface import ParcelLine, Recipient, ShipmentState
from modules.shipping.models import Shipment
from monolift import atomic
from monolift.db.rows import insert_rows

_CARRIER = "Made-up Parcel"


class PastShipment(NamedTuple):
    """A shipment in the state it ended in. No carrier hears of it."""

    order_id: UUID
    state: ShipmentState
    method: str
    recipient: Recipient
    parcel: Sequence[ParcelLine]
    at: datetime
    customer_id: UUID | None = None


def tracking_of(order_id: UUID) -> str:
    """The tracking number of an order's shipment."""
    return f"MP{order_id.hex[:12].upper()}"


def ship(shipments: Sequence[PastShipment]) -> None:
    """Note past shipments, once per order."""
    orders = [one.order_id for one in shipments]
    with atomic():
        known = set(Shipment.objects.filter(pk__in=orders).values_list("pk", flat=True))
        insert_rows(
            Shipment, _COLUMNS, (_row(one) for one in shipments if one.order_id not in known)
        )


_COLUMNS = (
    "order_id", "state", "method", "recipient", "parcel", "carrier", "tracking", "ordered_at",
    "customer_id",
)  # fmt: skip


def _row(shipment: PastShipment) -> tuple[Any, ...]:
    carried = shipment.state is not ShipmentState.CANCELLED
    return (
        shipment.order_id,
        shipment.state.value,
        shipment.method,
        shipment.recipient,
        shipment.parcel,
        _CARRIER if carried else "",
        tracking_of(shipment.order_id) if carried else "",
        shipment.at,
        shipment.customer_id,
    )
