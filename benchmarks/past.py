"""A past for a shop on PostgreSQL, by a few statements: a million rows for each of two modules."""

from uuid import UUID

import psycopg

from benchmarks import goods

SKU = "PAST-1"
_ROWS_OF_AN_ORDER = 5
"""Basket, its line, the order, its line, and the invoice."""
_PLENTY = 100_000


def fill(database: psycopg.Connection, *, rows: int) -> list[str]:
    """So many rows for inventory, as many for orders, and plenty of all that is for sale.

    Ids of some of the orders.
    """
    orders = rows // _ROWS_OF_AN_ORDER
    with database.transaction():
        database.execute(
            "UPDATE inventory_stock SET available = available + %s, received = received + %s",
            (_PLENTY, _PLENTY),
        )
        database.execute(
            "INSERT INTO inventory_stock (sku, available, received) "
            "SELECT 'PAST-' || n, 100, 100 FROM generate_series(1, %s) n",
            (rows,),
        )
        database.execute(
            "CREATE TEMP TABLE past ON COMMIT DROP AS SELECT n, gen_random_uuid() AS id, "
            "gen_random_uuid() AS basket, timestamptz '2024-01-01' + n * interval '30 s' AS at "
            "FROM generate_series(1, %s) n",
            (orders,),
        )
        address = psycopg.types.json.Jsonb(goods.ADDRESS_BODY)
        database.execute(
            "INSERT INTO orders_basket (id, currency, address, delivery, coupon, attempt) "
            "SELECT basket, 'EUR', %s, 'standard', '', 1 FROM past",
            (address,),
        )
        database.execute(
            "INSERT INTO orders_basketline (basket_id, sku, title, name, quantity) "
            "SELECT basket, %s, 'A thing', 'plain', 1 FROM past",
            (SKU,),
        )
        database.execute(
            "INSERT INTO orders_order (id, basket_id, state, currency, net, discount, "
            "coupon_discount, shipping, tax, taxes, total, refunded, email, address, delivery, "
            "coupon, tracking, problem, placed_at) "
            "SELECT id, basket, 'delivered', 'EUR', 2400, 0, 0, 0, 480, '[[2000, 2400, 480]]', "
            "2880, 0, 'past' || n || '@example.org', %s, 'standard', '', 'PAST', '', at FROM past",
            (address,),
        )
        database.execute(
            "INSERT INTO orders_orderline "
            "(order_id, position, sku, title, quantity, unit, total) "
            "SELECT id, 0, %s, 'A thing, plain', 1, 2880, 2880 FROM past",
            (SKU,),
        )
        database.execute(
            "INSERT INTO orders_invoice (order_id, year, number, issued_at) "
            "SELECT id, 2024, n, at FROM past"
        )
        database.execute(
            "INSERT INTO orders_invoicecounter (year, last) VALUES (2024, %s)", (orders,)
        )
        some: list[tuple[UUID]] = database.execute("SELECT id FROM past LIMIT 500").fetchall()
    database.execute("VACUUM ANALYZE")
    return [str(one) for (one,) in some]
