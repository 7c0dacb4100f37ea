"""What the SQL guard adds to a statement that it knows, beside a read by primary key."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from benchmarks import goods
from benchmarks.context import Context
from benchmarks.figures.calls import in_a_request
from benchmarks.paired import Case, compare, once
from benchmarks.probe.models import Note
from benchmarks.results import Result
from modules.orders.interface import BasketId, Orders
from monolift import use
from monolift.boundaries.sql.facts import cache
from monolift.boundaries.sql.guard import Guard, install
from monolift.registry.scope import Scope, entered

GOAL = 0.02
_TIMES = 200


def run(context: Context) -> Iterator[Result]:
    """Its own cost beside a read; a read and a checkout with it and without."""
    alias = Note.objects.db
    connection: Any = connections[alias]
    note = Note(id=uuid.uuid4(), text="a note", total=1250)
    note.save(force_insert=True)
    facts = cache(connection.vendor).learn(_statement())
    if facts.owner != "probe":
        raise RuntimeError(f"The guard takes the read for one of {facts.owner!r}, not of the probe")
    yield Result.count(
        sum(isinstance(getattr(one, "__self__", None), Guard) for one in _wrappers()),
        figure="sqlguard",
        what="SQL guards on the connections in production, not sampling",
        database=context.database,
        goal=0,
    )
    with entered(Scope("probe", None, None, "probe.read")):
        for mode, name in (("refuse", "refusing"), ("sample", "sampling 1 %")):
            yield Result.ratio(
                compare(
                    _cost(connection, mode), _reads(note.pk, times=20), pairs=context.pairs(301)
                ),
                figure="sqlguard",
                what=f"SQL guard's cost on a known statement, {name} / a read by primary key",
                database=context.database,
                goal=GOAL,
            )
        yield Result.ratio(
            compare(
                _with("refuse", _reads(note.pk, times=20)),
                _with("off", _reads(note.pk, times=20)),
                pairs=context.pairs(601),
            ),
            figure="sqlguard",
            what="a read by primary key with the SQL guard refusing / without it",
            database=context.database,
            goal=1 + GOAL,
        )
    yield _checkouts(context)


def _wrappers() -> Iterator[Any]:
    for connection in connections.all(initialized_only=True):
        yield from connection.execute_wrappers


def _cost(connection: Any, mode: str) -> Case:
    """What Django's cursor takes longer to reach the driver; the driver is left out."""
    sql = _statement()

    def case() -> float:
        with _installed(mode):
            guarded = _loop(connection, sql)
        return guarded - _loop(connection, sql)

    return case


def _statement() -> str:
    return str(Note.objects.filter(pk=uuid.uuid4()).query.sql_with_params()[0])


def _loop(connection: Any, sql: str) -> float:
    with connection.cursor() as cursor:
        # A new text each time, as the ORM makes it: its hash is not known yet.
        texts = [(sql + " ")[:-1] for _ in range(_TIMES)]
        send = cursor._execute_with_wrappers
        start = time.perf_counter()
        for text in texts:
            send(text, (), many=False, executor=_nothing)
        return (time.perf_counter() - start) / _TIMES


def _nothing(*_: object) -> None:
    """In place of the driver."""


def _reads(pk: uuid.UUID, *, times: int) -> Case:
    def case() -> float:
        start = time.perf_counter()
        for _ in range(times):
            Note.objects.get(pk=pk)
        return (time.perf_counter() - start) / times

    return case


def _with(mode: str, case: Case) -> Case:
    def guarded() -> float:
        with _installed(mode):
            return case()

    return guarded


@contextmanager
def _installed(mode: str) -> Iterator[None]:
    for connection in connections.all(initialized_only=True):
        install(connection, mode=mode)
    try:
        yield
    finally:
        for connection in connections.all(initialized_only=True):
            install(connection, mode="off")


def _checkouts(context: Context) -> Result:
    pairs = context.pairs(151)
    goods.shelve()
    waiting = goods.baskets(2 * pairs + 8, lines=3)
    orders = use(Orders)
    total = goods.total(3)

    def check_out() -> float:
        basket = BasketId(waiting.pop())
        return once(
            lambda: orders.check_out(basket_id=basket, expected_total=total, card_token=goods.CARD)
        )

    guarded: Callable[[], float] = _with("refuse", check_out)
    with in_a_request():
        return Result.ratio(
            compare(guarded, check_out, pairs=pairs),
            figure="sqlguard",
            what="checkout of 3 lines with the SQL guard refusing / without it",
            database=context.database,
            goal=None,
        )
