"""Inventory's timer."""

from uuid import UUID

from modules.inventory.events import HoldLapsed
from modules.inventory.models import Hold, Stock
from monolift import atomic, publish, task


@task
def expire_hold(*, hold_id: UUID) -> None:
    """Give the stock of a hold back, if nobody took or released it meanwhile."""
    with atomic():
        hold = Hold.objects.get(pk=hold_id)
        if hold.leave(Hold.State.HELD, to=Hold.State.LAPSED):
            Stock.objects.give_back(hold.lines)
            skus = tuple(sku for sku, _ in hold.lines)
            publish(HoldLapsed(reference=hold.reference, skus=skus))
