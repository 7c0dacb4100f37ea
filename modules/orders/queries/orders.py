"""Reads of orders, a fixed number of statements each."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet, Sum

from modules.orders import models
from modules.orders.interface import (
    BoughtOrder,
    BoughtPage,
    InvalidCursor,
    Invoice,
    NoInvoice,
    Order,
    OrderId,
    OrderLine,
    OrderPage,
    OrderState,
    OrderSummary,
    Refund,
    Tax,
)
from modules.orders.queries.baskets import address_of
from modules.orders.queries.numbers import ids_of, number_of
from monolift.kernel import Money

LARGEST_PAGE = 100
LARGEST_COUNT = 1000


class _Position(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    placed_at: datetime
    id: UUID


def order(*, order_id: OrderId) -> Order | None:
    """A placed order; None when it was not placed."""
    row = models.Order.objects.filter(pk=order_id).prefetch_related("lines").first()
    return None if row is None else shown(row, row.lines.all())


def shown(row: models.Order, lines: Iterable[models.OrderLine]) -> Order:
    """A row as others see it."""
    return Order(
        id=OrderId(row.id),
        number=number_of(row.id),
        state=OrderState(row.state),
        customer_id=row.customer_id,
        lines=tuple(
            OrderLine(
                sku=line.sku,
                title=line.title,
                quantity=line.quantity,
                unit=Money(line.unit, row.currency),
                total=Money(line.total, row.currency),
            )
            for line in lines
        ),
        address=address_of(row.address),
        net=Money(row.net, row.currency),
        discount=Money(row.discount, row.currency),
        shipping=Money(row.shipping, row.currency),
        coupon=row.coupon,
        coupon_discount=Money(row.coupon_discount, row.currency),
        tax=Money(row.tax, row.currency),
        taxes=tuple(
            Tax(rate=rate, net=Money(net, row.currency), amount=Money(amount, row.currency))
            for rate, net, amount in row.taxes
        ),
        total=Money(row.total, row.currency),
        refunded=Money(row.refunded, row.currency),
        placed_at=row.placed_at,
        tracking=row.tracking,
        problem=row.problem,
    )


def history(*, customer_id: UUID, limit: int, after: str | None) -> OrderPage:
    """A customer's orders, the newest first."""
    return _page(models.Order.objects.filter(customer_id=customer_id), limit, after)


def orders(*, limit: int, after: str | None, state: OrderState | None, text: str) -> OrderPage:
    """All orders, the newest first; see `Orders.orders`."""
    found = models.Order.objects.all()
    if state is not None:
        found = found.filter(state=state)
    text = text.strip()
    if "@" in text:
        found = found.filter(email=text)
    elif text:
        least, most = ids_of(text)
        found = found.filter(pk__gte=least, pk__lte=most) if least else found.none()
    return _page(found, limit, after)


def invoice(*, order_id: OrderId) -> Invoice:
    """The bill of an order."""
    found = models.Invoice.objects.filter(pk=order_id).select_related("order").first()
    if found is None:
        raise NoInvoice(order_id=order_id)
    return Invoice(
        number=str(found),
        issued_at=found.issued_at,
        order=shown(found.order, found.order.lines.all()),
    )


def refunds(*, order_id: OrderId) -> Sequence[Refund]:
    """The refunds that were not given up, in order of time."""
    found = models.Refund.objects.filter(order=order_id).select_related("order")
    return [
        Refund(
            id=row.id,
            amount=Money(row.amount, row.order.currency),
            reason=row.reason,
            done=row.state == models.Refund.State.DONE,
            at=row.created_at,
        )
        for row in found.exclude(state=models.Refund.State.FAILED).order_by("created_at", "id")
    ]


def bought(*, after: str | None, limit: int) -> BoughtPage:
    """What orders held, the oldest first."""
    limit = max(1, min(limit, LARGEST_COUNT))
    found = models.Order.objects.order_by("placed_at", "id").prefetch_related("lines")
    if after is not None:
        at = _position(after)
        # The first condition says the same again, as the range of the index to begin with.
        found = found.filter(
            Q(placed_at__gte=at.placed_at), Q(placed_at__gt=at.placed_at) | Q(id__gt=at.id)
        )
    rows = list(found[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return BoughtPage(
        orders=tuple(
            BoughtOrder(
                order_id=OrderId(row.id),
                skus=tuple(dict.fromkeys(line.sku for line in row.lines.all())),
            )
            for row in rows
        ),
        next=_cursor(rows[-1].placed_at, rows[-1].id) if more else None,
    )


def _page(found: QuerySet[Any, Any], limit: int, after: str | None) -> OrderPage:
    limit = max(1, min(limit, LARGEST_PAGE))
    found = found.order_by("-placed_at", "-id")
    if after is not None:
        at = _position(after)
        # The first condition says the same again, as the range of the index to begin with.
        found = found.filter(
            Q(placed_at__lte=at.placed_at), Q(placed_at__lt=at.placed_at) | Q(id__lt=at.id)
        )
    columns = ("id", "state", "email", "currency", "total", "refunded", "placed_at")
    rows = list(found.values_list(*columns)[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    counted = models.OrderLine.objects.filter(order__in=[row[0] for row in rows])
    articles = dict(counted.values_list("order").annotate(Sum("quantity"))) if rows else {}
    return OrderPage(
        orders=tuple(
            OrderSummary(
                id=OrderId(identifier),
                number=number_of(identifier),
                state=OrderState(state),
                email=email,
                articles=articles.get(identifier, 0),
                total=Money(total, currency),
                refunded=Money(refunded, currency),
                placed_at=placed_at,
            )
            for identifier, state, email, currency, total, refunded, placed_at in rows
        ),
        next=_cursor(rows[-1][-1], rows[-1][0]) if more else None,
    )


def _cursor(placed_at: datetime, identifier: UUID) -> str:
    packed = msgspec.json.encode(_Position(placed_at, identifier))
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _position(after: str) -> _Position:
    try:
        packed = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4))
        found = msgspec.json.decode(packed, type=_Position)
        if found.placed_at.tzinfo is None:
            raise InvalidCursor(after=after[:200])
        # Raises for what is before the first year, or after the last, in UTC.
        return _Position(found.placed_at.astimezone(UTC), found.id)
    except (binascii.Error, msgspec.MsgspecError, ValueError, OverflowError):
        raise InvalidCursor(after=after[:200]) from None
