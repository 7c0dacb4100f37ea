"""Past orders by the million; see `manage.py seed`."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from django.db.models import F

from modules.orders import models
from modules.orders.interface import Address, OrderId, OrderState
from monolift import atomic
from monolift.db.rows import insert_rows


class PastLine(NamedTuple):
    """A line of a past order, in minor units; `total` has its tax in it."""

    sku: str
    title: str
    name: str
    quantity: int
    unit: int
    total: int


class PastOrder(NamedTuple):
    """An order in the state it ended in, in minor units: total = net + shipping + tax.

    `tax_rate` is in hundredths of a percent.
    """

    basket_id: UUID
    customer_id: UUID | None
    state: OrderState
    currency: str
    lines: Sequence[PastLine]
    net: int
    shipping: int
    tax: int
    tax_rate: int
    total: int
    address: Address
    delivery: str
    tracking: str
    placed_at: datetime


def order_id(basket_id: UUID) -> OrderId:
    """The id of the order that a first check-out of the basket makes."""
    return OrderId(uuid5(basket_id, "0"))


def known(ids: Sequence[OrderId]) -> set[OrderId]:
    """Which of these orders there are."""
    found = models.Order.objects.filter(pk__in=ids).values_list("pk", flat=True)
    return {OrderId(one) for one in found}


def place(orders: Sequence[PastOrder]) -> int:
    """Note past orders with their baskets and invoices, in one commit; how many are new.

    Invoices are numbered on from the last one of their year. What processes did is not made up, so
    there is no timeline, and nobody hears of these orders.
    """
    with atomic():
        every = [(order_id(one.basket_id), one) for one in orders]
        there = known([identifier for identifier, _ in every])
        new = [(identifier, one) for identifier, one in every if identifier not in there]
        _fill_baskets(new)
        insert_rows(models.Order, _ORDER, (_order(identifier, one) for identifier, one in new))
        insert_rows(
            models.OrderLine,
            ("order_id", "position", "sku", "title", "quantity", "unit", "total"),
            (
                (
                    identifier,
                    position,
                    line.sku,
                    f"{line.title}, {line.name}",
                    line.quantity,
                    line.unit,
                    line.total,
                )
                for identifier, one in new
                for position, line in enumerate(one.lines)
            ),
        )
        _bill(new)
    return len(new)


_ORDER = (
    "id", "basket_id", "customer_id", "state", "currency", "net", "discount", "shipping",
    "tax", "taxes", "total", "refunded", "email", "address", "delivery", "tracking", "problem",
    "placed_at",
)  # fmt: skip


def _order(identifier: OrderId, past: PastOrder) -> tuple[Any, ...]:
    cancelled = past.state is OrderState.CANCELLED
    return (
        identifier,
        past.basket_id,
        past.customer_id,
        past.state.value,
        past.currency,
        past.net,
        0,
        past.shipping,
        past.tax,
        [(past.tax_rate, past.net + past.shipping, past.tax)],
        past.total,
        past.total if cancelled else 0,
        past.address.email,
        past.address,
        past.delivery,
        past.tracking,
        "the customer cancelled it" if cancelled else "",
        past.placed_at,
    )


def _fill_baskets(new: Sequence[tuple[OrderId, PastOrder]]) -> None:
    insert_rows(
        models.Basket,
        ("id", "customer_id", "currency", "address", "delivery"),
        (
            (
                one.basket_id,
                one.customer_id,
                one.currency,
                one.address,
                one.delivery,
            )
            for _, one in new
        ),
    )
    insert_rows(
        models.BasketLine,
        ("basket_id", "sku", "title", "name", "quantity"),
        (
            (one.basket_id, line.sku, line.title, line.name, line.quantity)
            for _, one in new
            for line in one.lines
        ),
    )


def _bill(new: Sequence[tuple[OrderId, PastOrder]]) -> None:
    """Give them the next numbers of their years, in order of time."""
    counts = Counter(one.placed_at.year for _, one in new)
    years = sorted(counts)
    counters = models.InvoiceCounter.objects
    counters.bulk_create(
        [models.InvoiceCounter(year=year, last=0) for year in years], ignore_conflicts=True
    )
    for year in years:
        counters.filter(year=year).update(last=F("last") + counts[year])
    last = dict(counters.filter(year__in=years).values_list("year", "last"))
    following = {year: last[year] - counts[year] for year in years}
    rows = []
    for identifier, one in sorted(new, key=lambda pair: pair[1].placed_at):
        year = one.placed_at.year
        following[year] += 1
        rows.append((identifier, year, following[year], one.placed_at))
    insert_rows(models.Invoice, ("order_id", "year", "number", "issued_at"), rows)
