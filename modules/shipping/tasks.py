"""What happens between us and the carrier, outside any request."""

from datetime import timedelta
from uuid import UUID

from modules.shipping.events import ShipmentBooked
from modules.shipping.models import Shipment
from modules.shipping.provider import carrier
from monolift import atomic, publish, task

LATER = timedelta(days=1)
"""When it is looked again for recipients who could not be forgotten yet."""


@task
def hand_over(*, order_id: UUID) -> None:
    """Give the parcel to the carrier, unless it was cancelled; repeated until that works."""
    shipment = Shipment.objects.get(pk=order_id)
    if shipment.state != Shipment.State.ORDERED:
        return
    carries = carrier()
    tracking = carries.hand_over(
        order_id=order_id,
        method=shipment.method,
        recipient=shipment.recipient,
        parcel=shipment.parcel,
    )
    with atomic():
        ordered = Shipment.objects.filter(pk=order_id, state=Shipment.State.ORDERED)
        if ordered.update(state=Shipment.State.BOOKED, tracking=tracking, carrier=carries.name):
            publish(ShipmentBooked(order_id=order_id, tracking=tracking, carrier=carries.name))
        elif Shipment.objects.filter(pk=order_id, state=Shipment.State.CANCELLED).exists():
            recall.enqueue(order_id=order_id)


@task
def recall(*, order_id: UUID) -> None:
    """Bring back a parcel that was cancelled while the carrier took it."""
    carrier().recall(order_id=order_id)


@task
def forget_recipients(*, customer_id: UUID) -> None:
    """Forget whom a customer's parcels go to; what the carrier is yet to be given waits."""
    with atomic():
        if forget_needless(customer_id):
            forget_recipients.after(LATER).enqueue(customer_id=customer_id)


def forget_needless(customer_id: UUID) -> bool:
    """Forget the recipients that no carrier needs to be told; whether others are left."""
    theirs = Shipment.objects.filter(customer_id=customer_id)
    theirs.exclude(state=Shipment.State.ORDERED).update(recipient={}, customer_id=None)
    return theirs.exists()
