"""Whether a shop's books say what its customers were told: nothing lost, nothing done twice."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import psycopg

# Of each order that was acknowledged there is one of these, by its id.
_ONE_EACH = {
    "order": "SELECT id FROM orders_order WHERE state IN ('paid', 'shipped', 'delivered')",
    "hold that was taken": "SELECT reference FROM inventory_hold WHERE state = 'taken'",
    "payment": "SELECT reference FROM payments_payment WHERE state = 'captured'",
    "invoice": "SELECT order_id FROM orders_invoice",
    "shipment": "SELECT order_id FROM shipping_shipment",
    "mail": "SELECT order_id FROM notifications_mail WHERE kind = 'paid'",
    "count for recommendations": "SELECT order_id FROM recommendations_countedorder",
}
_SOLD = "SELECT sku, received - available FROM inventory_stock WHERE received <> available"
_BALANCES = "SELECT account, currency, SUM(amount) FROM payments_entry GROUP BY account, currency"
_UNBALANCED = (
    "SELECT posting FROM payments_entry GROUP BY posting, currency HAVING SUM(amount) <> 0"
)


class Books(NamedTuple):
    """What is counted up before and after."""

    there: Mapping[str, Counter[str]]
    """For each kind of record, the orders it is of."""
    sold: Counter[str]
    """By SKU."""
    owed: int
    """By the card network, in minor units."""
    wrong_postings: int


class Differences(NamedTuple):
    """What does not agree."""

    lost: list[str]
    doubled: list[str]


def books(database: psycopg.Connection) -> Books:
    """As they are now."""
    with database.transaction():
        database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        balances = {(account, currency): amount for account, currency, amount
                    in database.execute(_BALANCES)}  # fmt: skip
        return Books(
            {
                name: Counter(str(one) for (one,) in database.execute(sql))
                for name, sql in _ONE_EACH.items()
            },
            Counter(dict(database.execute(_SOLD).fetchall())),
            int(balances.get(("assets:provider", "EUR"), 0)),
            len(database.execute(_UNBALANCED).fetchall()),
        )


def compare(before: Books, now: Books, orders: Mapping[str, tuple[str, int]]) -> Differences:
    """What is too little and too much, if these orders, of a SKU and a total each, were all."""
    found = Differences([], [])
    once = dict.fromkeys(orders, 1)
    for name, there in now.there.items():
        _weigh(found, f"{name} of order", before.there[name], there, once)
    _weigh(found, "sold", before.sold, now.sold, Counter(sku for sku, _ in orders.values()))
    total = sum(amount for _, amount in orders.values())
    _weigh(found, "money", {"EUR": before.owed}, {"EUR": now.owed}, {"EUR": total})
    if now.wrong_postings:
        found.lost.append(f"{now.wrong_postings} postings do not sum to zero")
    return found


def _weigh(
    found: Differences,
    what: str,
    before: Mapping[str, int],
    now: Mapping[str, int],
    wanted: Mapping[str, int],
) -> None:
    for one in sorted({*before, *now, *wanted}):
        more = now.get(one, 0) - before.get(one, 0) - wanted.get(one, 0)
        if more < 0:
            found.lost.append(f"{what} {one}: {-more}")
        if more > 0:
            found.doubled.append(f"{what} {one}: {more}")
