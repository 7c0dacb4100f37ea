"""A saga of three steps, each in commits of its own: beside its statements, and beside DBOS."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from benchmarks import goods, replay
from benchmarks.context import Context
from benchmarks.figures.checkout import unfused
from benchmarks.paired import compare, once
from benchmarks.probe.sagas import Walk
from benchmarks.results import Result
from benchmarks.run import POSTGRESQL
from monolift import SagaStatus

GOAL_STATEMENTS = 1.3
GOAL_DBOS = 2.0
DBOS = "3.4.0"
_SCRIPT = Path(__file__).parents[1] / "dbos_walk.py"


def run(context: Context) -> Iterator[Result]:
    """The time of one, and what it sends."""
    goods.shelve()
    goods.restock()
    with unfused():
        walk()  # what is done once in a process is no part of it
        with replay.recorded() as recording:
            reference = walk()
        yield Result.count(
            recording.statements,
            figure="sagas",
            what="SQL statements of an unfused saga of three steps "
            f"[in {recording.transactions} transactions, the rest alone]",
            database=context.database,
            goal=None,
        )
        by_hand = compare(
            lambda: once(walk),
            lambda: once(recording.again({reference: uuid4()}).run),
            pairs=context.pairs(301),
        )
    yield Result.ratio(
        by_hand,
        figure="sagas",
        what="an unfused saga of three steps / its statements as ready-made text",
        database=context.database,
        goal=GOAL_STATEMENTS,
    )
    if context.database == POSTGRESQL and not context.short:
        yield _beside_dbos(statistics.median(by_hand.ours), 200)


def walk() -> object:
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
    """Seconds for one workflow, on the same server, in an environment that is thrown away."""
    uv = str(Path(sys.executable).with_name("uv"))
    ended = subprocess.run(
        [
            *(uv, "run", "-q", "--no-project", "--python", sys.executable),
            *("--with", f"dbos=={DBOS}", "python", str(_SCRIPT)),
            *(os.environ["DATABASE_URL"], str(times)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        return 0.0, f"DBOS {DBOS} could not be run here"
    seconds = statistics.median(json.loads(ended.stdout.splitlines()[-1]))
    return seconds, f"DBOS {DBOS}: {seconds * 1000:.1f} ms"
