"""Facts that shipping announces."""

from uuid import UUID

from monolift.kernel import Event


class ShipmentBooked(Event, version=1, key="order_id"):
    """The carrier has the parcel."""

    order_id: UUID
    tracking: str
    carrier: str


class ShipmentCancelled(Event, version=1, key="order_id"):
    """The parcel stays here."""

    order_id: UUID


class ShipmentDelivered(Event, version=1, key="order_id"):
    """The parcel has arrived."""

    order_id: UUID
