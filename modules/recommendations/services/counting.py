"""Counting orders into generations. Statements by hand: Django has no upsert that adds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import batched, permutations
from typing import Any
from uuid import UUID

from django.db import connections

from modules.recommendations.models import CountedOrder, Generation, Pair, Popularity

MOST_SKUS = 20
"""So many SKUs of an order are counted, the first in their order: a large order grows the table by
380 rows at most."""

_ROWS = 200


def count(*, order_id: UUID, skus: Sequence[str]) -> None:
    """Count an order, in the surrounding transaction; one that was counted changes nothing."""
    row = Generation.objects.now()
    generations = [row.current] if row.building is None else [row.current, row.building]
    # Every mark before any number, so that whoever counts takes locks in the same order.
    fresh = [number for number in generations if _mark(number, [order_id])]
    for number in fresh:
        add(generation=number, orders=[skus])


def count_page(*, generation: int, orders: Mapping[UUID, Sequence[str]]) -> None:
    """Count some orders into one generation, those that it has not counted yet."""
    fresh = _mark(generation, sorted(orders))
    add(generation=generation, orders=[orders[order_id] for order_id in sorted(fresh)])


def add(*, generation: int, orders: Iterable[Sequence[str]]) -> None:
    """Add the SKUs of orders to the numbers, in order of SKU, so that no two writers deadlock."""
    pairs: Counter[tuple[str, str]] = Counter()
    single: Counter[str] = Counter()
    for skus in orders:
        counted = sorted(set(skus))[:MOST_SKUS]
        pairs.update(permutations(counted, 2))
        single.update(counted)
    _upsert(
        "recommendations_popularity",
        ("generation", "sku"),
        [(generation, sku, number) for sku, number in sorted(single.items())],
    )
    _upsert(
        "recommendations_pair",
        ("generation", "sku", "other"),
        [(generation, *pair, number) for pair, number in sorted(pairs.items())],
    )


def forget(*, generation: int) -> None:
    """Delete every row of other generations than this one."""
    for model in (Pair, Popularity, CountedOrder):
        model.objects.exclude(generation=generation).delete()


def _mark(generation: int, order_ids: Sequence[UUID]) -> set[UUID]:
    """Mark orders as counted; those that were not yet."""
    connection = connections[CountedOrder.objects.db]
    field: Any = CountedOrder._meta.get_field("order_id")
    fresh: set[UUID] = set()
    with connection.cursor() as cursor:
        for some in batched(order_ids, _ROWS):
            values = ", ".join(["(%s, %s)"] * len(some))
            statement = (
                "INSERT INTO recommendations_countedorder (generation, order_id) "  # noqa: S608 - marks
                f"VALUES {values} ON CONFLICT DO NOTHING RETURNING order_id"
            )
            keys = [field.get_db_prep_value(order_id, connection) for order_id in some]
            cursor.execute(statement, [value for key in keys for value in (generation, key)])
            fresh.update(
                one if isinstance(one, UUID) else UUID(one) for (one,) in cursor.fetchall()
            )
    return fresh


def _upsert(table: str, key: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    columns = (*key, "orders")
    marks = f"({', '.join(['%s'] * len(columns))})"
    with connections[Pair.objects.db].cursor() as cursor:
        for some in batched(rows, _ROWS):
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608 - names of ours
                f"VALUES {', '.join([marks] * len(some))} "
                f"ON CONFLICT ({', '.join(key)}) DO UPDATE "
                f"SET orders = {table}.orders + excluded.orders",
                [value for row in some for value in row],
            )
