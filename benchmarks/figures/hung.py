"""What the rest of the shop notices of a module that hangs: nothing, if its calls are held apart.

The shop in three deployables. All the time somebody asks for stock, which is in the warehouse, and
others for what needs no stock. Then the warehouse is stopped (SIGSTOP): it takes connections, and
answers nothing.
"""

import http.client
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.context import Context
from benchmarks.offered import Ask, Seen, offered, quantile
from benchmarks.results import Result
from benchmarks.servers import ROOT, connected
from benchmarks.shop import API, Customer, descendants, running

GOAL = 1.5
SECONDS = 30.0
RATE = 24.0
"""Requests a second; each fourth asks for stock."""
CLIENTS = 32
WARM = 5.0


def run(context: Context) -> Iterator[Result]:
    """Calm, hung, calm again. Not in the short form: it takes two minutes."""
    if context.short:
        return
    with (
        tempfile.TemporaryDirectory(prefix="monolift-run-") as folder,
        running(folder, "--topology", str(ROOT / "config/topology.split.toml")) as (process, port),
    ):
        look = Customer(port)
        products = look.for_sale()
        look.close()
        sku = products[0]["variants"][0]["sku"]
        paths = [
            f"{API}/inventory/availability?sku={sku}",
            f"{API}/catalog/products?limit=20",
            f"{API}/search?q=clock",
            f"{API}/catalog/products/{products[0]['slug']}",
        ]

        def load(seconds: float) -> list[Seen]:
            return offered(
                lambda: _asking(port, paths), rate=RATE, seconds=seconds, clients=CLIENTS
            )

        load(WARM)
        calm = load(SECONDS)
        stopped = [pid for pid in descendants(process.pid) if _serves(pid, "warehouse")]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            hung = load(SECONDS)
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        time.sleep(2.0)
        calm += load(SECONDS)
    p99 = quantile(0.99, _others(hung)), quantile(0.99, _others(calm))
    silent = [one.seconds for one in hung if one.what == "stock silent"]
    yield Result.count(
        p99[0] / p99[1],
        figure="hung",
        what=f"p99 of the other modules while one hangs for {SECONDS:.0f} s / otherwise",
        database="SQLite",
        goal=GOAL,
        unit="x",
        note=(
            f"p99 {p99[0]:.0f} ms against {p99[1]:.0f} ms, p50 {quantile(0.5, _others(hung)):.0f} "
            f"against {quantile(0.5, _others(calm)):.0f}; {len(silent)} questions for stock were "
            f"told that nobody answers, p50 {quantile(0.5, silent or [0]):.0f} ms"
        ),
    )
    yield Result.count(
        sum(one.what == "failed" for one in hung + calm),
        figure="hung",
        what="failed requests to the other modules meanwhile, and to stock before and after",
        database="SQLite",
        goal=0,
    )


def _others(seen: list[Seen]) -> list[float]:
    return [one.seconds for one in seen if one.what == "other"]


def _asking(port: int, paths: list[str]) -> Ask:
    link = connected(port)

    def ask(number: int) -> str:
        of_stock = number % len(paths) == 0
        try:
            link.request("GET", paths[number % len(paths)])
            answer = link.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            link.close()
            return "failed"
        if answer.status == 200:
            return "stock" if of_stock else "other"
        return "stock silent" if of_stock and answer.status == 503 else "failed"

    return ask


def _serves(pid: int, deployable: str) -> bool:
    with suppress(OSError):
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        return f"MONOLIFT_DEPLOYABLE={deployable}".encode() in environment and b"\0web\0" in command
    return False
