"""The ways that `stock` goes, and all ways in which somebody writes its rows."""

from collections.abc import Callable

import pytest
from django.db import connections, transaction

from monolift import use
from monolift.lift.movers.sqlite.mover import SqliteMover
from monolift.lift.moving import Blocked
from monolift.lift.plan import engine
from monolift.lift.plan.stage import Lift, Stage
from monolift.truth.document import Document
from tests.library.world.stock.interface import Stock
from tests.library.world.stock.models import Item


def quiet(stage: Stage, what: str) -> None:
    """Nobody looks."""


def out(lift: Lift) -> None:
    engine.out(lift, through="seal", report=quiet)


def home(lift: Lift) -> None:
    engine.home(lift, report=quiet)


def taken_back(mover: SqliteMover) -> None:
    """A cut-over whose other half, the new row of the truth, is not written."""

    def fail() -> Document:
        raise Blocked("Somebody else has taken this lift over.")

    with pytest.raises(Blocked, match="Somebody else"):
        mover.cut_over(fail)


def left(sku: str = "a") -> int:
    return use(Stock).levels(skus=[sku])[sku].left


def execute(sql: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(sql)


def _django_atomic() -> None:
    with transaction.atomic(using="default"):
        execute("DELETE FROM stock_item")


WRITERS: dict[str, Callable[[], object]] = {
    "the ORM, as admin and shell use it": lambda: Item.objects.create(sku="b", left=1),
    "plain SQL": lambda: execute("UPDATE stock_item SET left = 0"),
    "Django's own atomic": _django_atomic,
    "a delivery": lambda: execute(
        "INSERT INTO monolift_delivery (module, event, subscriber, publisher, target, name, "
        "number, body, trace, state, attempts, due_at, token, failure, created_at) VALUES "
        "('stock', 'e', 's', 'p', '', 'n', 1, '{}', '', 'pending', 0, '2026', '', '', '2026')"
    ),
    "a key": lambda: execute(
        "INSERT INTO monolift_key (module, key, operation, fingerprint, state, answer, error, "
        "lease_until, created_at) VALUES ('stock', 'k', '', '', 'done', '', '', '2026', '2026')"
    ),
    "an event": lambda: execute(
        "INSERT INTO monolift_outbox (module, key, number, event, name, body, trace, cause) "
        "VALUES ('stock', 'k', 1, 'e', 'n', '{}', '', '')"
    ),
    "a saga": lambda: execute(
        "INSERT INTO monolift_saga (module, id, name, version, key, status, state, progress, "
        "failure, trace, attempts, due_at, token, created_at, updated_at) VALUES "
        "('stock', 'i', 'n', 1, 'k', 'running', '{}', '[]', '', '', 0, '2026', '', '2026', '2026')"
    ),
}
