"""How soon after a commit a handler starts, beside the bare wake-up of the same kind.

Both clocks start at the commit: what is measured is commit, signal, and what it takes the other
side to know what to do.
"""

import queue
import select
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any, BinaryIO

from django.conf import settings
from django.db import connections, transaction

from benchmarks.context import Context
from benchmarks.paired import Case, Comparison, compare
from benchmarks.probe import handlers
from benchmarks.probe.events import NoteTaken
from benchmarks.probe.models import Note
from benchmarks.results import Result
from benchmarks.run import POSTGRESQL
from benchmarks.servers import ROOT
from monolift import Money, atomic, publish
from monolift.events.worker import Worker

GOAL = 5.0
GOAL_NOTIFY = 3.0
GOAL_P99 = 20.0
_TOTAL = Money(1250, "EUR")
_PATIENCE = 20.0
_SETTLE = 0.005
"""Seconds before each case, so that it does not meet what the one before left to be finished."""

type Next = Callable[[], int]
"""Waits for the other side and gives the moment it started, in nanoseconds."""


def run(context: Context) -> Iterator[Result]:
    """In one process, between two, and through PostgreSQL."""
    with connections["default"].cursor() as cursor:  # what others left would be delivered first
        cursor.execute("DELETE FROM monolift_outbox")
        cursor.execute("DELETE FROM monolift_delivery")
    yield _result(context, _in_process(context), "in one process", "a thread's wake-up")
    yield _result(context, _between(context, "pipe"), "between processes", "a pipe")
    if context.database == POSTGRESQL:
        notified = _between(context, "notify")
        yield _result(context, notified, "by PostgreSQL's NOTIFY", "NOTIFY", goal=GOAL_NOTIFY)
        yield _slowest(context, notified, "by PostgreSQL's NOTIFY")


def _slowest(context: Context, comparison: Comparison, way: str) -> Result:
    """What all but one of a hundred stay below, with nothing else to do."""
    ours, bare = (
        quantiles(times, n=100, method="inclusive")[98] * 1000
        for times in (comparison.ours, comparison.reference)
    )
    return Result.count(
        ours,
        figure="delivery",
        what=f"commit to handler start {way}, 99th percentile",
        database=context.database,
        goal=GOAL_P99,
        unit="ms",
        note=f"of {len(comparison.ours)}; bare wake-up: {bare:.1f} ms",
    )


def _result(
    context: Context, comparison: Comparison, way: str, reference: str, *, goal: float = GOAL
) -> Result:
    return Result.ratio(
        comparison,
        figure="delivery",
        what=f"commit to handler start {way} / bare wake-up ({reference} and reading the row)",
        database=context.database,
        goal=goal,
    )


# The library ------------------------------------------------------------------------------------


def _published(next_start: Next) -> Case:
    """Seconds from the commit of an event to its handler's first line."""

    def case() -> float:
        time.sleep(_SETTLE)
        note = Note(id=uuid.uuid4(), text="a note", total=1250)
        with atomic(module="probe"):
            note.save(force_insert=True)
            publish(NoteTaken(note_id=note.id, text=note.text, total=_TOTAL))
            committed = time.monotonic_ns()
        return (next_start() - committed) / 1e9

    return case


def _in_process(context: Context) -> Comparison:
    heard: queue.SimpleQueue[int] = queue.SimpleQueue()
    handlers.on_heard(heard.put)
    worker = Worker(threads=1)
    with _woken_thread() as (signal, woken):
        worker.start()
        try:
            return compare(
                _published(lambda: heard.get(timeout=_PATIENCE)),
                _committed(signal, lambda: woken.get(timeout=_PATIENCE)),
                pairs=context.pairs(201),
            )
        finally:
            worker.stop()
            handlers.on_heard(lambda moment: None)


def _between(context: Context, way: str) -> Comparison:
    settings.MONOLIFT["WAKE"] = way
    try:
        with _process("worker", way) as heard, _process("bare", way) as woken:
            woken()  # it listens
            with _signal(way) as signal:
                return compare(
                    _published(heard), _committed(signal, woken), pairs=context.pairs(201)
                )
    finally:
        settings.MONOLIFT["WAKE"] = "pipe"


# The bare wake-up -------------------------------------------------------------------------------


def _committed(signal: Callable[[str], None], next_start: Next) -> Case:
    """Seconds from the commit of a row until the woken side has read it."""

    def case() -> float:
        time.sleep(_SETTLE)
        note = Note(id=uuid.uuid4(), text="a note", total=1250)
        with transaction.atomic():
            note.save(force_insert=True)
            if signal is _notify_in_transaction:
                signal(str(note.id))
            committed = time.monotonic_ns()
        if signal is not _notify_in_transaction:
            signal(str(note.id))
        return (next_start() - committed) / 1e9

    return case


@contextmanager
def _woken_thread() -> Iterator[tuple[Callable[[str], None], "queue.SimpleQueue[int]"]]:
    """A thread that reads the row it is told of."""
    told: queue.SimpleQueue[str] = queue.SimpleQueue()
    woken: queue.SimpleQueue[int] = queue.SimpleQueue()

    def wait() -> None:
        while identifier := told.get():
            read_row(uuid.UUID(identifier))
            woken.put(time.monotonic_ns())
        connections.close_all()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    try:
        yield told.put, woken
    finally:
        told.put("")
        thread.join(5)


@contextmanager
def _signal(way: str) -> Iterator[Callable[[str], None]]:
    if way == "notify":
        yield _notify_in_transaction
        return
    with bare_pipe().open("wb", buffering=0) as pipe:
        yield lambda identifier: _written(pipe, identifier)


def _written(pipe: BinaryIO, identifier: str) -> None:
    pipe.write(identifier.encode())


def bare_pipe() -> Path:
    """The named pipe of the process that is woken by the least."""
    return Path(settings.DATA_DIR) / "bare.pipe"


def _notify_in_transaction(identifier: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_notify('benchmark', %s)", (identifier,))


def read_row(identifier: uuid.UUID) -> None:
    """What a woken process does at the least."""
    with connections["default"].cursor() as cursor:
        value: Any = identifier
        if connections["default"].vendor == "sqlite":
            value = identifier.hex
        cursor.execute("SELECT text, total FROM probe_note WHERE id = %s", (value,))
        if cursor.fetchone() is None:
            raise LookupError(f"There is no note {identifier}.")


# The other process ------------------------------------------------------------------------------


@contextmanager
def _process(role: str, way: str) -> Iterator[Next]:
    """The other side in a process of its own; it prints a number for each start."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.other_side", role, way],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    lines = process.stdout

    def next_start() -> int:
        ready, _, _ = select.select([lines], [], [], _PATIENCE)
        if not ready:
            raise TimeoutError(f"The {role} did not start within {_PATIENCE:.0f} s.")
        return int(lines.readline())

    try:
        if role == "worker":
            next_start()  # says that it listens
        yield next_start
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
