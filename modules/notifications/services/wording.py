"""What mails say."""

from typing import Any, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string

from modules.notifications.models import Mail
from modules.notifications.requires import Order
from monolift import Money

_SUBJECTS = {
    "paid": "Your order {number}",
    "shipped": "Your order {number} is on its way",
    "cancelled": "Your order {number} is cancelled",
    "refunded": "Money back for your order {number}",
    "stock_low": "Low stock: {sku}",
}


class Words(NamedTuple):
    """A mail, twice: for reading as it is, and for programs that show HTML."""

    subject: str
    text: str
    html: str


def of(mail: Mail, order: Order | None) -> Words:
    """The words of a mail; `order` is the one that it is about."""
    facts = dict(mail.facts)
    if amount := facts.get("amount"):
        facts["amount"] = Money(*amount)
    context: dict[str, Any] = {**facts, "order": order}
    number = order.number if order else ""
    if order is not None:
        context["link"] = settings.NOTIFICATIONS["ORDER_URL"].format(order_id=order.id)
    return Words(
        subject=_SUBJECTS[mail.kind].format(number=number, sku=facts.get("sku", "")),
        text=render_to_string(f"notifications/{mail.kind}.txt", context).strip() + "\n",
        html=render_to_string(f"notifications/{mail.kind}.html", context),
    )
