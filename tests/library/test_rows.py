"""Rows inserted many at a time are what Django would have stored."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest

from modules.orders.interface import Address
from modules.orders.models import Order, OrderLine
from modules.shipping.models import Shipment
from monolift import atomic
from monolift.db.rows import insert_rows

pytestmark = pytest.mark.django_db(databases="__all__")

AT = datetime(2026, 3, 1, 12, 30, 15, 250, tzinfo=UTC)
ODD = "tab\t newline\n backslash \\N \\. quote \" ' comma, é \U0001f600"
COLUMNS: dict[str, Any] = {
    "customer_id": None, "currency": "EUR", "net": 1, "discount": 0, "shipping": 0, "tax": 0,
    "total": 1, "email": "a@example.org", "delivery": "standard", "placed_at": AT,
}  # fmt: skip


def insert(key: UUID, **columns: Any) -> None:
    """Insert an order."""
    row = {"id": key, "basket_id": uuid4(), "address": {}, **COLUMNS, **columns}
    with atomic(module="orders"):
        insert_rows(Order, list(row), [list(row.values())])


def test_values_come_back_as_they_were() -> None:
    address = Address(
        name=ODD, street="", city="x", postcode="1", country="DE", email="a@example.org"
    )
    key, other = uuid4(), uuid4()
    insert(key, address=address, coupon=ODD[:40], customer_id=other)
    stored = Order.objects.get(pk=key, customer_id=other)
    assert (stored.address["name"], stored.coupon, stored.placed_at) == (ODD, ODD[:40], AT)
    # What was not given has its default.
    assert (stored.state, stored.refunded, stored.tracking) == ("placed", 0, "")
    with atomic(module="orders"):
        insert_rows(
            OrderLine,
            ("order_id", "position", "sku", "title", "quantity", "unit", "total"),
            [(key, place, "MUG", ODD, 1, 1, 1) for place in range(2)],
        )
    assert [line.title for line in stored.lines.all()] == [ODD, ODD]


def test_a_row_equals_one_that_django_wrote() -> None:
    address = {"name": ODD}
    columns = {**COLUMNS, "address": address}
    mine, theirs = uuid4(), uuid4()
    insert(mine, address=address)
    Order.objects.create(id=theirs, basket_id=uuid4(), **columns)
    rows = [Order.objects.filter(pk=key).values().get() for key in (mine, theirs)]
    for row in rows:
        row.pop("id"), row.pop("basket_id")
    assert rows[0] == rows[1]
    # Compared by the database, not only as they are read.
    assert Order.objects.filter(placed_at=AT).count() == 2
    assert Order.objects.filter(placed_at__gt=AT - timedelta(microseconds=1)).count() == 2


def test_times_of_other_zones_are_the_same_moment() -> None:
    key = uuid4()
    insert(key, placed_at=AT.astimezone(timezone(timedelta(hours=5))))
    assert Order.objects.get(pk=key, placed_at=AT).placed_at == AT


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(ValueError, match="Shipment has no column weight"):
        insert_rows(Shipment, ("weight",), [(1,)])


def test_an_error_leaves_nothing_behind() -> None:
    def rows() -> Any:
        yield (uuid4(), "x", AT, {}, [])
        raise RuntimeError("the third one is missing")

    with pytest.raises(RuntimeError), atomic(module="shipping"):
        insert_rows(Shipment, ("order_id", "method", "ordered_at", "recipient", "parcel"), rows())
    assert not Shipment.objects.exists()
