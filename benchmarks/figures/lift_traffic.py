"""What those who use a shop notice when its modules are lifted out on PostgreSQL, and come home.

The shop runs by `monolift run --stack full`. The commands are those that an operator types, one
after another: `monolift lift MODULE --through soak`, then `... land`, through every stage, so that
each time the module is sealed, served by a deployable of its own, copied, cut over, and all of it
back again.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple

import psycopg

from benchmarks.books import Books, Differences, books, compare
from benchmarks.context import Context
from benchmarks.mailbox import mailbox
from benchmarks.offered import quantile
from benchmarks.past import fill
from benchmarks.results import Result
from benchmarks.servers import ROOT
from benchmarks.shop import Customer, running
from benchmarks.visits import Assortment, Visits

MODULES = ("inventory", "orders", "payments", "pricing", "catalog")
TIMES = 5
ROWS = 1_000_000
RATE = 50.0
"""Requests a second."""
WARM, CALM = 10.0, 60.0
REQUESTS = 30_000
WATCH_FOR = "0.5"
_SETTLES_WITHIN = 300.0


def run(context: Context) -> Iterator[Result]:
    """All moves under one load. Not in the short form: it takes a quarter of an hour."""
    if context.short:
        return
    with tempfile.TemporaryDirectory(prefix="monolift-run-") as folder, mailbox() as mail:
        Path(folder).chmod(0o755)  # the server's account looks for its data there
        with running(folder, "--stack", "full", **mail) as (_, port):
            told = json.loads((Path(folder) / "var" / "run.json").read_text())
            with psycopg.connect(told["MONOLIFT_POSTGRES"], autocommit=True) as database:
                seen = None
                try:
                    seen = _moved(told, port, database)
                finally:
                    if seen is None or seen.failures:
                        sys.stderr.write((Path(folder) / "out").read_text()[-20_000:])
        yield from _results(seen)


class _Seen(NamedTuple):
    """What came of it."""

    requests: int
    failures: list[str]
    misses: list[str]
    differences: Differences
    orders: int
    calm: list[float]
    meanwhile: list[float]
    """Seconds of each request, without and with a move."""
    blocked: list[float]
    """Seconds that each cut-over held writers up."""
    trips: dict[str, list[float]]
    """Seconds of each way out and home, by module."""


def _moved(told: dict[str, str], port: int, database: psycopg.Connection) -> _Seen:
    visits = Visits(port, _assortment(port, fill(database, rows=ROWS)), rate=RATE)
    before = books(database)
    blocked: list[float] = []
    trips: dict[str, list[float]] = {module: [] for module in MODULES}
    with visits:
        time.sleep(WARM)
        began = time.monotonic()
        time.sleep(CALM)
        first = time.monotonic()
        for number in range(TIMES):
            for module in MODULES:
                out = time.monotonic()
                _lift(told, module, "--through", "soak")
                evidence = _lift(told, module, "land")["evidence"]
                trips[module].append(time.monotonic() - out)
                held = [evidence[way]["cut-over"]["held"] for way in ("cutover", "-cutover")]
                blocked += held
                _say(number, module, trips[module][-1], held, visits)
        last = time.monotonic()
        while len(visits.sent) < REQUESTS:
            time.sleep(1.0)
    return _Seen(
        len(visits.sent),
        visits.failures,
        visits.misses,
        _settled(database, before, visits),
        len(visits.orders),
        [one.seconds for one in visits.sent if began <= one.due < first],
        [one.seconds for one in visits.sent if first <= one.due < last],
        blocked,
        trips,
    )


def _assortment(port: int, past: list[str]) -> Assortment:
    look = Customer(port)
    products = look.for_sale()
    look.close()
    skus = sorted({one["sku"] for product in products for one in product["variants"]})
    return Assortment([one["slug"] for one in products], skus, past)


def _lift(told: dict[str, str], module: str, *arguments: str) -> dict[str, Any]:
    """A command as an operator types it; where the lift stands after it."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "monolift.management", "lift", module, *arguments),
            *("--watch-for", WATCH_FOR, "--format", "json"),
        ],
        cwd=ROOT,
        env=os.environ | told,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"monolift lift {module}: {done.stdout}{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index("\n{") :])
    return found


def _say(number: int, module: str, seconds: float, held: list[float], visits: Visits) -> None:
    """On the way, for whoever waits for a quarter of an hour."""
    sys.stderr.write(
        f"{time.strftime('%X')} {number + 1}. {module}: {seconds:.0f} s, writers waited "
        f"{', '.join(f'{one * 1000:.0f} ms' for one in held)}; {len(visits.sent)} requests, "
        f"{len(visits.failures)} failed, {len(visits.misses)} misses\n"
    )


def _settled(database: psycopg.Connection, before: Books, visits: Visits) -> Differences:
    """What differs when all that was announced has been handled, or after some minutes."""
    end = time.monotonic() + _SETTLES_WITHIN
    while True:
        found = compare(before, books(database), visits.orders)
        if not (found.lost or found.doubled) or time.monotonic() > end:
            break
        time.sleep(2.0)
    for line in [*found.lost, *found.doubled][:50]:
        sys.stderr.write(f"{line}\n")
    return found


def _results(seen: _Seen) -> Iterator[Result]:
    trips = ", ".join(f"{module} {median(times):.0f} s" for module, times in seen.trips.items())
    moves = f"{len(MODULES)} modules out and home {TIMES} times"
    yield _count(
        seen.requests,
        f"requests at {RATE:g} a second, {moves}, a million rows in two of them",
        goal=REQUESTS,
        sense="at least",
        note=f"{seen.orders} orders; a way out and home: {trips}",
    )
    yield _count(len(seen.failures), f"requests that failed, {moves}")
    yield _count(len(seen.differences.lost), "lost of what was acknowledged, afterwards")
    yield _count(len(seen.differences.doubled), "done more often than acknowledged, afterwards")
    yield _count(len(seen.misses), "reads that did not show an acknowledged write")
    p99 = [quantile(0.99, times) for times in (seen.meanwhile, seen.calm)]
    p50 = [quantile(0.5, times) for times in (seen.meanwhile, seen.calm)]
    yield _count(
        p99[0] / p99[1],
        "p99 of the requests while modules move / while none does",
        goal=3,
        unit="x",
        note=f"p99 {p99[0]:.0f} ms against {p99[1]:.0f} ms, p50 {p50[0]:.0f} ms against "
        f"{p50[1]:.0f} ms, slowest {max(seen.meanwhile) * 1000:.0f} ms",
    )
    waited = f"writers held up by a cut-over of {len(seen.blocked)}"
    yield _count(median(seen.blocked) * 1000, f"{waited}: the median", goal=100, unit="ms")
    yield _count(max(seen.blocked) * 1000, f"{waited}: the longest", goal=500, unit="ms")


def _count(
    value: float,
    what: str,
    *,
    goal: float = 0,
    sense: Literal["at most", "at least"] = "at most",
    unit: str = "",
    note: str = "",
) -> Result:
    return Result.count(
        value,
        figure="lift_traffic",
        what=what,
        database="PostgreSQL",
        goal=goal,
        sense=sense,
        unit=unit,
        note=note,
    )
