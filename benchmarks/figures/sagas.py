"""A saga of three steps, each in commits of its own: beside its statements, and beside DBOS."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

from benchmarks import byhand, goods, replay
from benchmarks.context import Context
from benchmarks.figures.checkout import unfused
from benchmarks.paired import Comparison, compare, once
from benchmarks.probe.sagas import Walk
from benchmarks.results import Result
from benchmarks.run import POSTGRESQL
from monolift import SagaStatus

GOAL_STATEMENTS = 1.3
GOAL_DBOS = 2.0
DBOS = "3.4.0"


def run(context: Context) -> Iterator[Result]:
    """The time of one, and what it sends."""
    goods.shelve()
    goods.restock()
    recording, reference = record()
    with unfused():
        yield Result.count(
            recording.statements,
            figure="sagas",
            what="SQL statements of an unfused saga of three steps "
            f"[in {recording.transactions} transactions, the rest alone]",
            database=context.database,
            goal=None,
        )
        by_hand = _compare(context, recording, reference, by_hand_unfused)
        as_text = _compare(context, recording, reference, lambda again, _: again.run())
    yield Result.ratio(
        by_hand,
        figure="sagas",
        what="an unfused saga of three steps / the same statements by hand",
        database=context.database,
        goal=GOAL_STATEMENTS,
    )
    yield Result.ratio(
        as_text,
        figure="sagas",
        what="an unfused saga of three steps / its statements as ready-made text",
        database=context.database,
        goal=None,
    )
    if context.database == POSTGRESQL and not context.short:
        yield _beside_dbos(statistics.median(by_hand.ours), 200)


def record() -> tuple[replay.Recording, UUID]:
    """What an unfused one does, and the reference it did it with."""
    with unfused():
        walk()  # what is done once in a process is no part of it
        with replay.recorded() as recording:
            reference = walk()
    return recording, reference


def by_hand_unfused(recording: replay.Recording, reference: UUID) -> None:
    """The same by hand; the library's statements are those of the recording."""
    rest = iter(recording.platform)
    byhand.walk_unfused(
        reference=reference,
        sku=goods.SKUS[0],
        platform=lambda: replay.send(byhand.ALIAS, [next(rest)]),
    )
    assert next(rest, None) is None, "the recording has more statements than the hand sends"


def _compare(
    context: Context,
    recording: replay.Recording,
    original: UUID,
    again: Callable[[replay.Recording, UUID], None],
) -> Comparison:
    def reference() -> float:
        other = uuid4()
        fresh = recording.again({original: other})
        return once(lambda: again(fresh, other))

    return compare(lambda: once(walk), reference, pairs=context.pairs(301))


def walk() -> UUID:
    """Run one to its end; its reference."""
    reference = uuid4()
    run = Walk.run(key=str(reference), reference=reference, sku=goods.SKUS[0])
    assert run.status is SagaStatus.DONE, run.failure
    return reference


def _beside_dbos(ours: float, times: int) -> Result:
    theirs, note = _dbos(times)
    return Result.count(
        theirs / ours if theirs else 0.0,
        figure="sagas",
        what="time of a DBOS workflow of three steps / of an unfused saga of three steps",
        database=POSTGRESQL,
        goal=GOAL_DBOS if theirs else None,
        sense="at least",
        unit="x",
        note=note,
    )


def _dbos(times: int) -> tuple[float, str]:
    """Seconds for one workflow on the same database; DBOS is installed for this run only."""
    uv = str(Path(sys.executable).with_name("uv"))
    ended = subprocess.run(
        [
            *(uv, "run", "-q", "--no-sync", "--with", f"dbos=={DBOS}"),
            *("python", "-m", "benchmarks.dbos_walk", str(times)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        return 0.0, f"DBOS {DBOS} could not be run here"
    seconds = statistics.median(json.loads(ended.stdout.splitlines()[-1]))
    return seconds, f"DBOS {DBOS}: {seconds * 1000:.1f} ms"
