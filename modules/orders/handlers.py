"""What orders does when others announce something."""

from modules.orders import models
from modules.orders.events import OrderDelivered
from modules.orders.queries.baskets import baskets
from modules.profiles.events import CustomerForgotten
from modules.shipping.events import ShipmentDelivered
from monolift import atomic, publish, subscribe

_State = models.Order.State


@subscribe(ShipmentDelivered)
def note_delivery(event: ShipmentDelivered) -> None:
    """Write down that the order has arrived, also when nobody has said yet that it left."""
    under_way = (_State.PAID, _State.CANCELLING, _State.SHIPPED)
    with atomic():
        shipped = models.Order.objects.filter(pk=event.order_id, state__in=under_way)
        if shipped.update(state=_State.DELIVERED):
            email = models.Order.objects.values_list("email", flat=True).get(pk=event.order_id)
            publish(OrderDelivered(order_id=event.order_id, email=email))


@subscribe(CustomerForgotten)
def forget_customer(event: CustomerForgotten) -> None:
    """Empty the customer's baskets. Orders stay as they are: bills must be kept.

    There is no bill of an order that failed, so of that only what it was about stays.
    """
    with atomic():
        theirs = models.Order.objects.filter(customer_id=event.user_id)
        ordered = models.Basket.objects.filter(pk__in=theirs.values("basket_id"))
        ordered.update(address=None)
        open_ones = baskets().filter(customer_id=event.user_id, order_id=None)
        keys = list(open_ones.values_list("pk", flat=True))
        models.BasketLine.objects.filter(basket__in=keys).delete()
        models.Basket.objects.filter(pk__in=keys).update(address=None, delivery="", coupon="")
        failed = theirs.filter(state=_State.FAILED)
        failed.update(email="", address={}, customer_id=None)
