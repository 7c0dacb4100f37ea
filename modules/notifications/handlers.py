"""What notifications listens to: each event becomes one mail."""

from django.conf import settings

from modules.inventory.events import StockLow
from modules.notifications.models import Mail
from modules.notifications.tasks import send
from modules.orders.events import OrderCancelled, OrderPaid, OrderRefunded, OrderShipped
from monolift import Money, atomic, subscribe
from monolift.kernel import clock


@subscribe(OrderPaid)
def confirm(event: OrderPaid) -> None:
    """Thank for an order."""
    _write(Mail(order_id=event.order_id, kind=Mail.Kind.PAID, to=event.email))


@subscribe(OrderShipped)
def tell_it_is_on_its_way(event: OrderShipped) -> None:
    """Give the tracking number."""
    facts = {"tracking": event.tracking}
    _write(Mail(order_id=event.order_id, kind=Mail.Kind.SHIPPED, to=event.email, facts=facts))


@subscribe(OrderCancelled)
def tell_it_is_cancelled(event: OrderCancelled) -> None:
    """Say what happens to the money."""
    facts = {"reason": event.reason, "amount": _plain(event.refunded)}
    _write(Mail(order_id=event.order_id, kind=Mail.Kind.CANCELLED, to=event.email, facts=facts))


@subscribe(OrderRefunded)
def tell_of_the_refund(event: OrderRefunded) -> None:
    """Say how much goes back."""
    facts = {"amount": _plain(event.amount)}
    _write(Mail(order_id=event.order_id, kind=Mail.Kind.REFUNDED, to=event.email, facts=facts))


@subscribe(StockLow)
def warn_of_low_stock(event: StockLow) -> None:
    """Tell the shop, if it wants to know."""
    facts = {"sku": event.sku, "available": event.available, "threshold": event.threshold}
    _write(Mail(kind=Mail.Kind.STOCK_LOW, to=settings.NOTIFICATIONS["STOCK_TO"], facts=facts))


def _write(mail: Mail) -> None:
    """Keep the mail and send it after the commit; without an address there is none."""
    if not mail.to:
        return
    mail.at = clock.now()
    with atomic():
        mail.save(force_insert=True)
        send.enqueue(mail_id=mail.id)


def _plain(money: Money | None) -> list[int | str]:
    return [money.amount, money.currency] if money else []
