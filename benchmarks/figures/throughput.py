"""How many events a second are delivered, beside taking rows off a queue by hand.

The handlers write nothing and every event is a lane of its own. Delivered means relayed from the
outbox, claimed, handled and marked. Two queues are emptied by hand, with `FOR UPDATE SKIP LOCKED`
in batches: the deliveries' own table, and one as narrow as a queue can be.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from typing import NamedTuple

from django.db import connections

from benchmarks.context import Context
from benchmarks.paired import Case, Comparison, compare
from benchmarks.probe import handlers
from benchmarks.results import Result
from benchmarks.run import POSTGRESQL
from monolift.db.models import Outbox
from monolift.db.rows import insert_rows
from monolift.events.worker import Worker
from monolift.kernel.ids import uuid7_text

GOAL_RATE = 5000
GOAL_SHARE = 0.3
GOAL_BACKLOG = 0.9
_BATCH = 100
_PATIENCE = 600.0
_BODY = (
    f'{{"note_id":"{uuid.UUID(int=7)}","text":"a note","total":{{"amount":1,"currency":"EUR"}}}}'
)
_COLUMNS = ("module", "event", "name", "key", "number", "body", "trace", "cause")


def run(context: Context) -> Iterator[Result]:
    """The rate, and what a backlog does to it."""
    events = 2000 if context.short else 20_000
    ours = delivery(events)
    if context.database == POSTGRESQL:
        same = compare(ours, _by_hand(events, _SAME_TABLE), pairs=context.pairs(11), warm=1)
        yield _share(context, same, "the same table", goal=GOAL_SHARE)
        narrow = compare(ours, _by_hand(events, _NARROW_TABLE), pairs=context.pairs(5), warm=1)
        yield _share(context, narrow, "a table of three columns", goal=None)
        times = same.ours
    else:
        times = tuple(ours() for _ in range(context.pairs(11)))
    yield Result.count(
        events / sorted(times)[len(times) // 2],
        figure="throughput",
        what="events delivered a second by one worker process",
        database=context.database,
        goal=GOAL_RATE if context.database == POSTGRESQL else None,
        sense="at least",
        unit="/s",
    )
    few, many = (1000, 10_000) if context.short else (1000, 100_000)
    backlog = compare(_each(many), _each(few, times=10), pairs=context.pairs(7), warm=1)
    yield Result.ratio(
        backlog.inverse(),
        figure="throughput",
        what=f"events delivered a second until all {many:,} are / until all {few:,} are",
        database=context.database,
        goal=GOAL_BACKLOG if context.database == POSTGRESQL else None,
        sense="at least",
    )
    first = compare(
        delivery(few, behind=many - few), delivery(few), pairs=context.pairs(11), warm=1
    )
    yield Result.ratio(
        first.inverse(),
        figure="throughput",
        what=f"events delivered a second until {few:,} of {many:,} are / "
        f"until {few:,} of {few:,} are",
        database=context.database,
        goal=None,
        sense="at least",
    )
    _clear()


def _each(events: int, *, times: int = 1) -> Case:
    """Seconds for one of so many that wait, all of them delivered, in the mean of some times."""
    all_of_them = delivery(events)
    return lambda: sum(all_of_them() for _ in range(times)) / (times * events)


def _share(context: Context, comparison: Comparison, table: str, *, goal: float | None) -> Result:
    return Result.ratio(
        comparison.inverse(),
        figure="throughput",
        what=f"events delivered a second / rows a second by hand off {table}",
        database=context.database,
        goal=goal,
        sense="at least",
    )


# The library ------------------------------------------------------------------------------------


def delivery(events: int, *, behind: int = 0) -> Case:
    """Seconds until so many events are handled and marked, while others wait behind them."""

    def case() -> float:
        _clear()
        announce(events + behind)
        reached = threading.Event()
        heard = 0

        def count(_: int) -> None:
            nonlocal heard
            heard += 1
            if heard == events:
                reached.set()

        handlers.on_heard(count)
        worker = Worker()
        begun = time.perf_counter()
        worker.start()
        try:
            if not reached.wait(_PATIENCE):
                raise TimeoutError(f"{heard} of {events} events within {_PATIENCE:.0f} s.")
            return time.perf_counter() - begun
        finally:
            handlers.on_heard(lambda moment: None)
            worker.stop()

    return case


def announce(events: int) -> None:
    """Put so many events into the outbox, each with a key of its own."""
    base = time.time_ns() // 1000
    rows = (
        ("probe", uuid7_text(), "probe.note_taken.v1", str(uuid.uuid4()), base + n, _BODY)
        for n in range(events)
    )
    insert_rows(Outbox, _COLUMNS, ((*row, "", "") for row in rows))
    _gather_statistics()


def _clear() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM monolift_outbox")
        cursor.execute("DELETE FROM monolift_delivery")
    _gather_statistics()


def _gather_statistics() -> None:
    """As autovacuum does, which has no time to within a benchmark."""
    if connections["default"].vendor == "postgresql":
        with connections["default"].cursor() as cursor:
            cursor.execute("VACUUM ANALYZE monolift_outbox")
            cursor.execute("VACUUM ANALYZE monolift_delivery")


# By hand ----------------------------------------------------------------------------------------


class Queue(NamedTuple):
    """A table to take rows off, and how."""

    empty: str
    fill: str
    gather: str
    take: str


_SAME_TABLE = Queue(
    empty="DELETE FROM monolift_delivery",
    fill="INSERT INTO monolift_delivery (module, event, subscriber, publisher, name, key, number, "
    "body, trace, state, attempts, token, failure, due_at, created_at) SELECT 'probe', "
    "gen_random_uuid()::text, 'probe.note_the_moment', 'probe', 'probe.note_taken.v1', "
    f"gen_random_uuid()::text, n, '{_BODY}', '', 'pending', 0, '', '', now(), now() "
    "FROM generate_series(1, %s) AS n",
    gather="VACUUM ANALYZE monolift_delivery",
    take="UPDATE monolift_delivery SET state = 'done' WHERE (module, event, subscriber) IN "
    "(SELECT module, event, subscriber FROM monolift_delivery "
    "WHERE state = 'pending' AND target = '' AND due_at <= now() ORDER BY due_at "
    f"LIMIT {_BATCH} FOR UPDATE SKIP LOCKED) RETURNING event, body",
)
_NARROW_TABLE = Queue(
    empty="DROP TABLE IF EXISTS by_hand; CREATE TABLE by_hand (id bigserial PRIMARY KEY, body text,"
    " done boolean DEFAULT false); CREATE INDEX by_hand_due ON by_hand (id) WHERE NOT done",
    fill=f"INSERT INTO by_hand (body) SELECT '{_BODY}' FROM generate_series(1, %s)",
    gather="VACUUM ANALYZE by_hand",
    take="UPDATE by_hand SET done = true WHERE id IN (SELECT id FROM by_hand WHERE NOT done "
    f"ORDER BY id LIMIT {_BATCH} FOR UPDATE SKIP LOCKED) RETURNING id, body",
)


def _by_hand(events: int, queue: Queue) -> Case:
    """Seconds until so many rows are taken and marked, batch by batch, each batch a commit."""

    def case() -> float:
        with connections["default"].cursor() as cursor:
            cursor.execute(queue.empty)
            cursor.execute(queue.fill, (events,))
            cursor.execute(queue.gather)
            taken = 0
            begun = time.perf_counter()
            while True:
                cursor.execute(queue.take)
                rows = cursor.fetchall()
                if not rows:
                    break
                taken += len(rows)
            seconds = time.perf_counter() - begun
        if taken != events:
            raise AssertionError(f"{taken} of {events} rows were taken.")
        return seconds

    return case
