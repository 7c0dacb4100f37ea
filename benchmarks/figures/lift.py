"""What moving a module between SQLite files costs those who use it meanwhile."""

import sqlite3
import statistics
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Self

from django.conf import settings
from django.db import connections

from benchmarks.context import Context
from benchmarks.paired import Comparison
from benchmarks.probe.interface import Probe
from benchmarks.probe.models import Note
from benchmarks.results import Result
from monolift import atomic, use
from monolift.db.rows import insert_rows
from monolift.lift.movers.sqlite.mover import SqliteMover
from monolift.lift.moving import Move
from monolift.registry.topology import topology
from monolift.truth import row
from monolift.truth.document import Document, Stay
from monolift.truth.follow import spread

MODULE = "probe"
GOAL_HELD = 50.0
"""Milliseconds."""


def run(context: Context) -> Iterator[Result]:
    """Move a module of a million rows out and home while it is written, several times."""
    count = 1_000_000 // (100 if context.short else 1)
    times = 2 if context.short else 3
    _fill(count)
    file = Path(settings.DATA_DIR) / f"{MODULE}.sqlite3"
    settings.DATABASES[MODULE] = {**connections["default"].settings_dict, "NAME": file}
    held: list[float] = []
    ratios: list[float] = []
    copies: list[float] = []
    bare: list[float] = []
    with _Writers() as writers:
        for _ in range(times):
            for source, target in (("default", MODULE), (MODULE, "default")):
                mover = SqliteMover(Move(module=MODULE, source=source, target=target, budget=5.0))
                copied = mover.copy(lambda progress: None)
                held.append(_cut_over(mover, target))
                if mover.verify()["differences"]:
                    raise AssertionError("the two sides differ")
                if target == MODULE:
                    copies.append(copied["seconds"])
                    bare.append(_bare_copy(file, count))
                    ratios.append(bare[-1] / copies[-1])
    rows = f"{count:,} rows"
    yield Result.count(
        statistics.median(held) * 1000,
        figure="lift",
        what=f"fence of a move between files, {rows}, written by 4 threads: the median",
        database=context.database,
        goal=None if context.short else GOAL_HELD,
        unit="ms",
    )
    yield Result.count(
        max(held) * 1000,
        figure="lift",
        what=f"fence of a move between files, {rows}: the longest of {len(held)}",
        database=context.database,
        goal=None,
        unit="ms",
    )
    yield Result.count(
        len(writers.errors),
        figure="lift",
        what=f"writes that failed, of {writers.done:,} during {len(held)} moves",
        database=context.database,
        goal=0,
    )
    yield Result.ratio(
        Comparison(ratios=tuple(ratios), ours=tuple(copies), reference=tuple(bare)),
        figure="lift",
        what=f"rate of the copy of {rows} while they are written / one INSERT SELECT",
        database=context.database,
        goal=None,
        sense="at least",
    )


def _fill(count: int) -> None:
    rows = ((uuid.uuid4(), "a note that is as long as notes are", 1250) for _ in range(count))
    with atomic(module=MODULE):
        insert_rows(Note, ("id", "text", "total"), rows)


def _cut_over(mover: SqliteMover, target: str) -> float:
    documents: list[Document] = []

    def change() -> Document:
        stay = Stay(deployable=topology().control, database=target)
        documents.append(row.change({MODULE: stay}))
        return documents[-1]

    cut = mover.cut_over(change)
    spread(documents[-1])
    return float(cut["held"])


def _bare_copy(file: Path, count: int) -> float:
    """The rows into a file that nobody uses, by one statement, with the same keys."""
    copy = file.with_name("bare.sqlite3")
    with closing(sqlite3.connect(copy, isolation_level=None)) as link:
        link.execute("PRAGMA journal_mode = WAL")
        link.execute("ATTACH ? AS source", (str(file),))
        (sql,) = link.execute(
            "SELECT sql FROM source.sqlite_master WHERE name = 'probe_note'"
        ).fetchone()
        link.execute(sql)
        began = time.monotonic()
        link.execute("INSERT INTO main.probe_note SELECT * FROM source.probe_note")
        seconds = time.monotonic() - began
    for left in copy.parent.glob("bare.sqlite3*"):
        left.unlink()
    return seconds


class _Writers:
    """Threads that insert and change rows as a module does, through the move."""

    def __init__(self) -> None:
        self.done = 0
        self.errors: list[str] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(4)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        probe = use(Probe)
        try:
            while not self._stopping.is_set():
                try:
                    probe.note(text="a note", total=1250)
                except Exception as error:
                    self.errors.append(repr(error))
                with self._lock:
                    self.done += 1
                time.sleep(0.005)
        finally:
            connections.close_all()
