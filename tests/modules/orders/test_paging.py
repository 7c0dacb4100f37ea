"""Lists of orders go on from an index, however deep the page and however many orders there are."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections

from modules.orders.interface import InvalidCursor, Orders, OrderState
from modules.orders.models import Order
from monolift import use

pytestmark = pytest.mark.django_db(databases="__all__")
orders = use(Orders)

AT = datetime(2026, 3, 1, tzinfo=UTC)
WHOSE = uuid4()


def place(
    count: int,
    *,
    at_once: int = 1,
    whose: UUID = WHOSE,
    state: str = "delivered",
    email: str = "ada@example.org",
) -> list[UUID]:
    """So many orders of one customer, several of them at the same moment."""
    made = [
        Order(
            id=uuid4(),
            basket_id=uuid4(),
            customer_id=whose,
            state=state,
            currency="EUR",
            **dict.fromkeys(("net", "discount", "shipping", "tax", "total"), 0),
            email=email,
            address={},
            delivery="standard",
            placed_at=AT + timedelta(seconds=number // at_once),
        )
        for number in range(count)
    ]
    Order.objects.bulk_create(made)
    return [one.pk for one in sorted(made, key=lambda one: (one.placed_at, one.pk))]


def plans(ask: Callable[[], object]) -> list[str]:
    """How the database goes about what is asked of the orders' table."""
    connection: Any = connections[Order.objects.db]
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        asked.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        ask()
    found = []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        for sql, parameters in asked:
            if 'FROM "orders_order"' in sql:
                cursor.execute(f"{explain} {sql}", parameters)
                found.append("\n".join(str(row[-1]) for row in cursor.fetchall()))
    return found


def test_pages_go_on_among_orders_of_the_same_moment() -> None:
    placed = place(23, at_once=5)
    seen: list[UUID] = []
    after = None
    while True:
        page = orders.history(customer_id=WHOSE, limit=4, after=after)
        seen += [one.id for one in page.orders]
        after = page.next
        if after is None:
            break
    assert seen == placed[::-1]
    seen = []
    while True:
        some = orders.bought(limit=4, after=after)
        seen += [one.order_id for one in some.orders]
        after = some.next
        if after is None:
            break
    assert seen == placed


@pytest.mark.parametrize(
    "at",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-03-01T00:00:00",
        "2026-02-30T00:00:00Z",
    ],
)
def test_a_moment_that_is_none_is_refused(at: str) -> None:
    place(2)
    packed = json.dumps([at, str(WHOSE)], separators=(",", ":")).encode()
    after = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    with pytest.raises(InvalidCursor):
        orders.history(customer_id=WHOSE, after=after)
    with pytest.raises(InvalidCursor):
        orders.bought(after=after)


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda after: orders.orders(limit=2, after=after), "orders_by_time"),
        (lambda after: orders.bought(limit=2, after=after), "orders_by_time"),
        (
            lambda after: orders.orders(limit=2, after=after, state=OrderState.DELIVERED),
            "orders_by_state",
        ),
        (
            lambda after: orders.orders(limit=2, after=after, text="ada@example.org"),
            "orders_by_email",
        ),
        (
            lambda after: orders.history(customer_id=WHOSE, limit=2, after=after),
            "orders_of_customer",
        ),
    ],
    ids=["orders", "bought", "state", "email", "history"],
)
def test_a_deep_page_begins_where_it_goes_on(ask: Callable[[Any], Any], index: str) -> None:
    place(9)
    # Among them many that are not asked for, so that only one index is the quickest, and the
    # planner is told: on an empty table's statistics every index looks alike.
    place(900, at_once=100, whose=uuid4(), state="cancelled", email="bob@example.org")
    with connections[Order.objects.db].cursor() as cursor:
        cursor.execute("ANALYZE orders_order")
    after = ask(None).next
    assert after is not None
    (plan,) = plans(lambda: ask(after))
    assert index in plan
    # The range of the index begins at the moment the page before ended with.
    ranges = [line for line in plan.splitlines() if "Index Cond" in line or "SEARCH" in line]
    assert any("placed_at" in line for line in ranges), plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
