"""What the references leave behind, beside what the shop leaves: facts for the tests to compare.

`python -m benchmarks.equivalence` prints them as JSON. No times.
"""

import json
import re
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

_ID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}(?![0-9a-f])")
_RANDOM = {"charge", "placed_at", "created_at", "posted_at", "expires_at", "id", "posting"}


def facts() -> dict[str, Any]:
    """All of them, by name."""
    from benchmarks import goods

    goods.shelve()
    return {
        "orders": _orders(),
        "floor rows": _floor_rows(),
        "checkouts": _checkouts(),
        "unfused": _unfused(),
        "walk": _walk(),
        "reads": _reads(),
        "pages": _pages(),
        "wire": _wire(),
    }


def _orders() -> dict[str, Any]:
    """The order that each side answers to the customer with."""
    from benchmarks.figures import checkout

    shop, floor = checkout.clients()
    return {
        "shop": _plain(checkout.shop_requests(shop, 3)),
        "floor": _plain(checkout.floor_requests(floor, 3)),
        "shop statements": len(checkout.request_statements(checkout.shop_requests, shop, 1)),
        "floor statements": {
            lines: len(checkout.request_statements(checkout.floor_requests, floor, lines))
            for lines in (1, 3)
        },
    }


def _pages() -> dict[str, Any]:
    """What each side answers to the requests for pages, and what the home page asks for."""
    from benchmarks import applications
    from benchmarks.figures import pages
    from benchmarks.wsgi_client import Client
    from config.seeding.filling import Filler

    shop, plain = Client(applications.shop(), prefix=""), Client(applications.plain(), prefix="")
    Filler(seed=pages.SEED).add_products(0, pages.SIZES[0], advance=lambda _: None)
    sides = pages.requests(shop, plain)
    compose, call = pages.composition(shop)
    return {
        "answers": {
            name: [_page(ours()), _page(theirs())] for name, (ours, theirs) in sides.items()
        },
        "home": {
            "composition": _statements(compose),
            "calls": _statements(call),
        },
    }


def _statements(do: Callable[[], object]) -> list[str]:
    """What it sends, without values."""
    from benchmarks import wire

    do()  # what is done once in a process is no part of it
    with wire.sent() as statements:
        do()
    return [" ".join(statement.split()[:4]) for statement in statements]


def _page(answer: Any) -> Any:
    """Status and text, without tokens against forgery and without where the page is."""
    text = re.sub(r'value="[A-Za-z0-9]{64}"', "", answer.body.decode())
    return [answer.status, re.sub(r'value="/(floor/pages/)?[^"]*"', "", text)]


def _floor_rows() -> dict[str, int]:
    """Rows that one order of three lines adds to the floor's tables, and stock it takes."""
    from django.apps import apps
    from django.db.models import Sum

    from benchmarks.figures import checkout
    from benchmarks.floor.models import Stock

    def count() -> dict[str, int]:
        models = apps.get_app_config("floor").get_models()
        rows = {model.__name__: model._default_manager.count() for model in models}
        return rows | {"stock": Stock.objects.aggregate(Sum("available"))["available__sum"]}

    before = count()
    checkout.floor_requests(checkout.clients()[1], 3)
    after = count()
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


def _checkouts() -> dict[str, Any]:
    """What one fused checkout leaves, and in how many commits: the library's, and by hand."""
    from benchmarks import byhand, goods, replay
    from benchmarks.figures import checkout
    from modules.orders.interface import BasketId

    def hand(basket: BasketId) -> object:
        return byhand.check_out(
            basket_id=basket, expected_total=goods.total(3), card_token=goods.CARD
        )

    found = {}
    ways: dict[str, Callable[[BasketId], object]] = {"library": checkout.check_out, "hand": hand}
    for name, buy in ways.items():
        one, basket = goods.baskets(2, lines=3)
        buy(BasketId(one))
        with replay.recorded() as recording:
            buy(BasketId(basket))
        found[name] = {"rows": _rows(BasketId(basket)), "commits": _commits(recording)}
    return found


def _unfused() -> dict[str, Any]:
    """Statements and transactions of an unfused checkout, by the library and by hand."""
    from benchmarks import goods, replay
    from benchmarks.figures import checkout
    from modules.orders.interface import BasketId

    recording, original = checkout.record()
    orm, text = (BasketId(basket) for basket in goods.baskets(2, lines=3))
    with replay.recorded() as by_hand:
        checkout.by_hand_unfused(orm, checkout.replayed(recording, original, orm))
    checkout.replayed(recording, original, text).run()
    return {
        "library": recording.shape(),
        "hand": by_hand.shape(),
        "library rows": _rows(original),
        "hand rows": _rows(orm),
        "text rows": _rows(text),
    }


def _walk() -> dict[str, Any]:
    """Statements and transactions of an unfused saga of three steps, by the library and by hand."""
    from uuid import uuid4

    from benchmarks import replay
    from benchmarks.figures import sagas

    recording, original = sagas.record()
    other = uuid4()
    with replay.recorded() as by_hand:
        sagas.by_hand_unfused(recording.again({original: other}), other)
    return {"library": recording.shape(), "hand": by_hand.shape()}


def _reads() -> dict[str, Any]:
    """Answers and statements of the reads, through the library and plain."""
    from benchmarks import wire
    from benchmarks.figures import reads

    found: dict[str, Any] = {}
    for name, client in zip(("shop", "plain"), reads.clients(), strict=True):
        found[name] = []
        for path in reads.READS.values():
            client.ask("GET", path)
            with wire.sent() as statements:
                answer = client.ask("GET", path).json()
            texts = [re.sub(r"'\d{4}-[^']*'", "'a time'", statement) for statement in statements]
            found[name].append({"answer": answer, "statements": texts})
    return found


def _wire() -> list[str]:
    """A statement through Django's cursor and one past it, in a transaction."""
    from django.db import connections, transaction

    from benchmarks import wire

    connection = connections["default"]
    with wire.sent() as statements, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 'a \"quoted\" word', %s", ["django"])
        driver = connection.connection
        if connection.vendor == "sqlite":
            driver.execute("SELECT\n'driver'")
        else:
            driver.pgconn.exec_params(b"SELECT\n'driver'", None)
            driver.pgconn.prepare(b"again", b"SELECT 'prepared'")
            driver.pgconn.exec_prepared(b"again", None)
    return statements


def _rows(basket: UUID) -> dict[str, Any]:
    """The rows of a basket's order in every module, without times and random ids."""
    from uuid import uuid5

    from django.db import connections

    from modules.inventory.models import Hold
    from modules.orders.models import Order, OrderLine
    from modules.payments.models import Entry, Payment

    order = uuid5(basket, "0")
    queries: dict[str, Any] = {
        "order": Order.objects.filter(pk=order),
        "lines": OrderLine.objects.filter(order=order).order_by("position"),
        "hold": Hold.objects.filter(reference=order),
        "payment": Payment.objects.filter(reference=order),
        "entries": Entry.objects.filter(reference=order).order_by("account"),
    }
    known = {order: "order", basket: "basket"}
    rows = {name: [_tidy(row, known) for row in query.values()] for name, query in queries.items()}
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT module, name, body FROM monolift_outbox WHERE key = %s ORDER BY number",
            [str(order)],
        )
        rows["outbox"] = [_tidy({"row": list(row)}, known) for row in cursor.fetchall()]
    return rows


def _tidy(row: dict[str, Any], known: dict[UUID, str]) -> dict[str, Any]:
    text = json.dumps(
        {name: value for name, value in row.items() if name not in _RANDOM}, default=str
    )
    tidy: dict[str, Any] = json.loads(
        _ID.sub(lambda found: known.get(UUID(found[0]), "another"), text)
    )
    return tidy


def _plain(order: Any) -> dict[str, Any]:
    """The order without what differs each time, its time replaced by whether it is one."""
    placed_at = datetime.fromisoformat(order["placed_at"]).tzinfo is not None
    random = {"id": len(order["id"]), "number": len(order["number"])}
    return {**order, **random, "placed_at": placed_at}


def _commits(recording: Any) -> int:
    """Transactions that wrote, and writes that stood alone."""
    return sum(
        any(sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")) for sql, _ in unit)
        for _, unit in recording.units
    )


def main() -> None:
    """Print the facts."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, run_syncdb=True)
    sys.stdout.write(json.dumps(facts()))


if __name__ == "__main__":
    main()
