"""What the running shop keeps resident: `monolift run` with one web process and one worker."""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.context import Context
from benchmarks.results import Result
from benchmarks.run import ROOT, environment
from benchmarks.shop import Customer, Refused, descendants, running

GOAL = 250.0
GOAL_GROWTH = 1.1
_MEGABYTE = 1e6


def run(context: Context) -> Iterator[Result]:
    """Start it with the sample, browse and buy, look at the memory, stop it."""
    orders = 5 if context.short else 50
    with tempfile.TemporaryDirectory(prefix="monolift-run-") as folder, running(folder) as run:
        process, port = run
        _use(port, orders)
        groups = _memory(process.pid)
    for name, goal in (("web and worker", GOAL), ("the supervisor", None)):
        rss, pss = groups[name]
        yield Result.count(
            rss / _MEGABYTE,
            figure="memory",
            what=f"resident memory of {name} in `monolift run`, after {orders} orders",
            database="SQLite",
            goal=goal,
            unit="MB",
            note=f"proportional (PSS): {pss / _MEGABYTE:.0f} MB",
        )
    yield _growth(20_000 if context.short else 1_000_000)


def _growth(events: int) -> Result:
    """A worker after a tenth of many events, and after all of them."""
    with tempfile.TemporaryDirectory(prefix="monolift-benchmark-") as folder:
        ended = subprocess.run(
            [sys.executable, "-m", "benchmarks.many_events", str(events)],
            cwd=ROOT,
            env=environment(Path(folder)),
            check=True,
            capture_output=True,
            text=True,
        )
    early, late = json.loads(ended.stdout)
    return Result.count(
        late / early,
        figure="memory",
        what=f"resident memory of a worker after {events:,} events / after a tenth of them",
        database="SQLite",
        goal=GOAL_GROWTH,
        unit="x",
        note=f"{early / _MEGABYTE:.0f} MB, then {late / _MEGABYTE:.0f} MB",
    )


def _use(port: int, orders: int) -> None:
    """Every kind of page and request, several at a time as far as one client can."""
    customer = Customer(port)
    products = customer.for_sale()
    for page in ("/", f"/products/{products[0]['slug']}", "/api/v1/docs", "/admin/login/"):
        with contextlib.suppress(Refused):  # a page that is not there takes no memory
            customer.ask("GET", page)
    for sku in customer.in_stock(products)[:orders]:
        for _ in customer.buy(sku):
            pass
    customer.close()


def _memory(supervisor: int) -> dict[str, tuple[int, int]]:
    """Resident and proportional bytes of the supervisor, and of all it has started."""
    children = descendants(supervisor)
    started = [_of(pid) for pid in children]
    return {
        "the supervisor": _of(supervisor),
        "web and worker": (sum(rss for rss, _ in started), sum(pss for _, pss in started)),
    }


def _of(pid: int) -> tuple[int, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    fields = dict(line.split(":", 1) for line in lines)
    return tuple(int(fields[name].split()[0]) * 1024 for name in ("Rss", "Pss"))  # type: ignore[return-value]  # two
