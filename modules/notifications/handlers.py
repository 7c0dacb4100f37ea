"""What notifications listens to: each event becomes one mail."""

from typing import Any

from django.conf import settings

from modules.inventory.events import StockLow
from modules.notifications.models import Mail
from modules.notifications.tasks import send
from modules.orders.events import OrderCancelled, OrderPaid, OrderRefunded, OrderShipped
from modules.profiles.events import CustomerForgotten
from monolift import Money, atomic, subscribe
from monolift.kernel import clock

FORGOTTEN = "the customer was forgotten"


@subscribe(OrderPaid)
def confirm(event: OrderPaid) -> None:
    """Thank for an order."""
    _write(_about(event, Mail.Kind.PAID))


@subscribe(OrderShipped)
def tell_it_is_on_its_way(event: OrderShipped) -> None:
    """Give the tracking number."""
    facts = {"tracking": event.tracking}
    _write(_about(event, Mail.Kind.SHIPPED, **facts))


@subscribe(OrderCancelled)
def tell_it_is_cancelled(event: OrderCancelled) -> None:
    """Say what happens to the money."""
    facts = {"reason": event.reason, "amount": _plain(event.refunded)}
    _write(_about(event, Mail.Kind.CANCELLED, **facts))


@subscribe(OrderRefunded)
def tell_of_the_refund(event: OrderRefunded) -> None:
    """Say how much goes back."""
    facts = {"amount": _plain(event.amount)}
    _write(_about(event, Mail.Kind.REFUNDED, **facts))


@subscribe(StockLow)
def warn_of_low_stock(event: StockLow) -> None:
    """Tell the shop, if it wants to know."""
    facts = {"sku": event.sku, "available": event.available, "threshold": event.threshold}
    _write(Mail(kind=Mail.Kind.STOCK_LOW, to=settings.NOTIFICATIONS["STOCK_TO"], facts=facts))


@subscribe(CustomerForgotten)
def forget_customer(event: CustomerForgotten) -> None:
    """Forget whom mails were for; what is not sent yet is not sent any more."""
    theirs = Mail.objects.filter(customer_id=event.user_id)
    with atomic():
        theirs.exclude(to="").update(to="", facts={}, problem=FORGOTTEN)
        theirs.update(customer_id=None)


def _about(
    event: OrderPaid | OrderShipped | OrderCancelled | OrderRefunded,
    kind: Mail.Kind,
    **facts: Any,
) -> Mail:
    return Mail(
        order_id=event.order_id,
        customer_id=event.customer_id,
        kind=kind,
        to=event.email,
        facts=facts,
    )


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
