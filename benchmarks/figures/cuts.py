"""What distribution costs: the same shop under the same load, cut three ways.

After Ghemawat et al., "Towards Modern Development of Cloud Applications" (HotOS 2023), who measured
one application as one process and as many. The load is open: visits begin when they are due,
however long others take, and a request's time counts from when it was due.
"""

import os
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.context import Context
from benchmarks.results import Result
from benchmarks.servers import ROOT
from benchmarks.shop import Customer, Refused, descendants, running

CUTS = (("one process pair", ""), ("inventory out", "inventory"), ("every module out", "each"))
RATE = 8.0
"""Visits a second."""
SECONDS = 30.0
WARM = 5.0
CUSTOMERS = 24


class Measured(NamedTuple):
    """One cut under load."""

    requests: int
    failed: int
    cpu: float
    times: Sequence[float]

    @property
    def per_thousand(self) -> float:
        """CPU seconds of all processes for a thousand requests."""
        return self.cpu / self.requests * 1000

    def quantile(self, share: float) -> float:
        """Milliseconds."""
        return sorted(self.times)[int(share * (len(self.times) - 1))] * 1000


def run(context: Context) -> Iterator[Result]:
    """Each cut on its own, one after another. Not in the short form: it starts 26 processes."""
    if context.short:
        return
    first: Measured | None = None
    for name, cut in CUTS:
        measured = _measure(cut)
        first = first or measured
        note = (
            f"{measured.per_thousand:.1f} CPU s per thousand; p50 {measured.quantile(0.5):.0f} ms, "
            f"p99 {measured.quantile(0.99):.0f} ms; {measured.requests} requests at {RATE:g} "
            "visits a second"
        )
        yield Result.count(
            measured.per_thousand / first.per_thousand,
            figure="cuts",
            what=f"CPU of the shop for a request, {name} / one process pair",
            database="SQLite",
            goal=None,
            unit="x",
            note=note,
        )
        yield Result.count(
            measured.failed,
            figure="cuts",
            what=f"failed requests, {name}",
            database="SQLite",
            goal=0,
        )


def _measure(cut: str) -> Measured:
    arguments = ("--topology", str(ROOT / f"config/topology.{cut}.toml")) if cut else ()
    with (
        tempfile.TemporaryDirectory(prefix="monolift-run-") as folder,
        running(folder, *arguments) as (process, port),
    ):
        look = Customer(port)
        products = look.for_sale()
        skus = look.in_stock(products)
        look.close()
        pages = ["/", *(f"/products/{one['slug']}" for one in products[:5])]
        load = _Load(port, pages, skus)
        load.run(WARM)
        load.begin_anew()
        before = _cpu(process.pid)
        load.run(SECONDS)
        if load.failed:
            sys.stderr.write((Path(folder) / "out").read_text()[-4000:])
        return Measured(len(load.times), load.failed, _cpu(process.pid) - before, load.times)


class _Load:
    """Visits: of four, three look at a page, and one buys."""

    def __init__(self, port: int, pages: Sequence[str], skus: list[str]) -> None:
        self._port = port
        self._pages = pages
        self._skus = skus
        self._number = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        self.times: list[float] = []
        self.failed = 0

    def run(self, seconds: float) -> None:
        """Begin visits for so long, and wait until all have ended."""
        due: queue.Queue[tuple[int, float] | None] = queue.Queue()
        customers = [threading.Thread(target=self._serve, args=(due,)) for _ in range(CUSTOMERS)]
        for one in customers:
            one.start()
        start = time.monotonic()
        for number in range(int(seconds * RATE)):
            moment = start + number / RATE
            time.sleep(max(0.0, moment - time.monotonic()))
            self._number += 1
            due.put((self._number, moment))
        for _ in customers:
            due.put(None)
        for one in customers:
            one.join()

    def _serve(self, due: "queue.Queue[tuple[int, float] | None]") -> None:
        customer = Customer(self._port)
        while visit := due.get():
            number, moment = visit
            try:
                if number % 4:
                    customer.ask("GET", self._pages[number % len(self._pages)])
                    self.times.append(time.monotonic() - moment)
                    continue
                for _ in customer.buy(self._skus.pop()):
                    self.times.append(time.monotonic() - moment)
                    moment = time.monotonic()
            except (Refused, OSError):
                self.failed += 1
                self.times.append(time.monotonic() - moment)
                customer.close()
                customer = Customer(self._port)
        customer.close()


def _cpu(pid: int) -> float:
    """CPU seconds of a process and of all that it has started, those that have ended included."""
    ticks = 0
    for one in {pid, *descendants(pid)}:
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(fields[place]) for place in (11, 12, 13, 14))
    return ticks / os.sysconf("SC_CLK_TCK")
