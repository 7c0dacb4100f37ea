"""What moving a module between databases of PostgreSQL costs, against what the server can do.

The module is the shop's inventory: its tables have the indexes and constraints that tables of
applications have, and its migrations make them at the target. Nobody uses them meanwhile; what
users notice is the figure `lift_traffic`.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from benchmarks.context import Context
from benchmarks.paired import Comparison
from benchmarks.results import Result
from monolift.db.creating import create_if_missing
from monolift.lift.movers.postgresql.feed import Feed
from monolift.lift.movers.postgresql.mover import PostgresMover
from monolift.lift.moving import Move
from monolift.lift.sealing.postgresql.seal import PostgresSeal
from monolift.lift.sealing.postgresql.sides import Side
from monolift.registry.topology import topology
from monolift.truth import row
from monolift.truth.document import Document, Stay
from monolift.truth.follow import spread

MODULE, SEALED, AWAY = "inventory", "inventory", "inventory_away"
ROWS = 1_000_000
LAGS = 100
GOAL_COPY, GOAL_FENCE = 0.5, 10.0


def run(context: Context) -> Iterator[Result]:
    """Move a module of a million rows out and home, several times."""
    count = ROWS // (100 if context.short else 1)
    times = 1 if context.short else 5
    _fill(count)
    copies: list[float] = []
    bare: list[float] = []
    fences: list[float] = []
    lags: list[float] = []
    differences: list[str] = []
    with _sealed() as (source, target):
        for _ in range(times):
            bare.append(_bare_copy(source, target, count))
            mover = _mover(SEALED, AWAY)
            copies.append(float(mover.copy(lambda progress: None)["seconds"]))
            for here, there in ((source, target), (target, source)):
                lags.append(_lag(Feed(here, there)))
                held, wrong = _cut_over(here.alias, there.alias)
                fences.append(held)
                differences += wrong
            mover.drop()
    rows = f"{count:,} rows"
    yield Result.ratio(
        Comparison(
            ratios=tuple(theirs / ours for theirs, ours in zip(bare, copies, strict=True)),
            ours=tuple(copies),
            reference=tuple(bare),
        ),
        figure="lift_postgresql",
        what=f"rate of the copy of {rows} to a database of their own / COPY and CREATE INDEX",
        database=context.database,
        goal=None if context.short else GOAL_COPY,
        sense="at least",
    )
    yield Result.ratio(
        Comparison(
            ratios=tuple(held / lag for held, lag in zip(fences, lags, strict=True)),
            ours=tuple(fences),
            reference=tuple(lags),
        ),
        figure="lift_postgresql",
        what=f"fence of a move of {rows} when calm / from sending a write until it is seen there",
        database=context.database,
        goal=None if context.short else GOAL_FENCE,
    )
    yield Result.count(
        len(differences),
        figure="lift_postgresql",
        what=f"tables that differed after a move of {rows}, of {len(fences)} moves",
        database=context.database,
        goal=0,
        note="; ".join(differences),
    )


def _fill(count: int) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_stock (sku, available, received) "
            "SELECT 'PAST-' || n, 100, 100 FROM generate_series(1, %s) n",
            [count],
        )
        cursor.execute("VACUUM ANALYZE inventory_stock")


@contextmanager
def _sealed() -> Iterator[tuple[Side, Side]]:
    """The module behind a role of its own, and an empty database for it, gone afterwards."""
    source, target = Side(MODULE, SEALED), Side(MODULE, AWAY)
    create_if_missing(target.wrapper())
    seal = PostgresSeal(module=MODULE, alias=SEALED)
    try:
        seal.apply(lambda: _to(SEALED))
        yield source, target
        seal.undo(lambda: _to("default"))
    finally:
        for feed in (Feed(source, target), Feed(target, source)):
            feed.drop()
        for alias in (SEALED, AWAY):
            connections[alias].close()
        with source.connected() as session:
            session.execute(f'DROP DATABASE IF EXISTS "{target.database}" WITH (FORCE)')
            session.execute(f'DROP OWNED BY "{source.role}"')
            session.execute(f'DROP ROLE "{source.role}"')


def _to(alias: str) -> Document:
    return row.change({MODULE: Stay(deployable=topology().control, database=alias)})


def _mover(source: str, target: str) -> PostgresMover:
    return PostgresMover(Move(module=MODULE, source=source, target=target))


def _bare_copy(source: Side, target: Side, count: int) -> float:
    """The rows into a table of the same kind by one binary COPY, and its indexes after it."""
    with source.connected() as here, target.connected() as there:
        made = here.execute(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index "
            "WHERE indrelid = 'inventory_stock'::regclass"
        ).fetchall()
        there.execute("CREATE SCHEMA bare")
        there.execute(
            "CREATE TABLE bare.inventory_stock (sku varchar(64) NOT NULL, "
            "available bigint NOT NULL, received bigint NOT NULL, threshold bigint)"
        )
        began = time.monotonic()
        with (
            here.cursor().copy("COPY inventory_stock TO STDOUT (FORMAT binary)") as out,
            there.cursor().copy("COPY bare.inventory_stock FROM STDIN (FORMAT binary)") as into,
        ):
            for block in out:
                into.write(block)
        for (text,) in made:
            there.execute(text.replace(" ON public.", " ON bare."))
        there.execute("ANALYZE bare.inventory_stock")
        seconds = time.monotonic() - began
        [(copied,)] = there.execute("SELECT count(*) FROM bare.inventory_stock").fetchall()
        there.execute("DROP SCHEMA bare CASCADE")
    assert copied >= count
    return seconds


def _lag(feed: Feed) -> float:
    """Seconds from sending a write to the publisher until the subscriber shows it: the median.

    Its commit is in it, on disk, as it is in the fence.
    """
    seen: list[float] = []
    with feed.publisher.connected() as here, feed.subscriber.connected() as there:
        feed.wait_until_alive()
        for _ in range(LAGS):
            began = time.monotonic()
            assert feed.arrived(there, feed.mark(here), within=10.0)
            seen.append(time.monotonic() - began)
            time.sleep(0.01)
    return statistics.median(seen)


def _cut_over(source: str, target: str) -> tuple[float, list[str]]:
    """For how many seconds writers would have waited, and what differs between the two sides."""
    documents: list[Document] = []

    def change() -> Document:
        documents.append(_to(target))
        return documents[-1]

    mover = _mover(source, target)
    cut = mover.cut_over(change)
    spread(documents[-1])
    return float(cut["held"]), list(mover.verify()["differences"])
