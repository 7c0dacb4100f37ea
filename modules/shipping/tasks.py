"""What happens between us and the carrier, outside any request."""

from datetime import timedelta
from uuid import UUID

from modules.shipping.events import ShipmentBooked
from modules.shipping.models import Shipment
from modules.shipping.provider import carrier
from monolift import Unavailable, atomic, publish, task
from monolift.kernel import clock
from monolift.observe.logs import logger

log = logger("modules.shipping")

_SHORTEST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)

LATER = timedelta(days=1)
"""When it is looked again for recipients who could not be forgotten yet."""


@task
def hand_over(*, order_id: UUID) -> None:
    """Give the parcel to the carrier, unless it was cancelled; repeated until that works.

    A carrier that does not answer is asked again after as long as the parcel has waited so far, ten
    minutes at most. It may have the parcel all the same: one that was cancelled since is recalled.
    """
    shipment = Shipment.objects.get(pk=order_id)
    if shipment.state == Shipment.State.CANCELLED:
        recall(order_id=order_id)
    if shipment.state != Shipment.State.ORDERED:
        return
    carries = carrier()
    try:
        tracking = carries.hand_over(
            order_id=order_id,
            method=shipment.method,
            recipient=shipment.recipient,
            parcel=shipment.parcel,
        )
    except Unavailable as error:
        log.warning("carrier will be asked again", order_id=str(order_id), problem=str(error))
        with atomic():
            hand_over.after(_pause(shipment)).enqueue(order_id=order_id)
        return
    with atomic():
        ordered = Shipment.objects.filter(pk=order_id, state=Shipment.State.ORDERED)
        if ordered.update(state=Shipment.State.BOOKED, tracking=tracking, carrier=carries.name):
            publish(ShipmentBooked(order_id=order_id, tracking=tracking, carrier=carries.name))
        elif Shipment.objects.filter(pk=order_id, state=Shipment.State.CANCELLED).exists():
            recall.enqueue(order_id=order_id)


@task
def recall(*, order_id: UUID) -> None:
    """Bring back a parcel that was cancelled and that the carrier may have.

    Repeated like a hand-over.
    """
    try:
        carrier().recall(order_id=order_id)
    except Unavailable as error:
        log.warning("parcel will be recalled again", order_id=str(order_id), problem=str(error))
        with atomic():
            pause = _pause(Shipment.objects.get(pk=order_id))
            recall.after(pause).enqueue(order_id=order_id)


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


def _pause(shipment: Shipment) -> timedelta:
    return min(max(clock.now() - shipment.ordered_at, _SHORTEST_PAUSE), _LONGEST_PAUSE)
