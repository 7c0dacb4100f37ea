"""A disk that is full again and again: `python -m tests.chaos.full_disk FOLDER EVENTS`.

Run in a mount namespace of its own, in which FOLDER is a small file system.
"""

import contextlib
import random
import sys
import time
from itertools import pairwise
from pathlib import Path

from tests.chaos.system import System
from tests.library.running import eventually

NAMES = [f"article-{number}" for number in range(10)]
STOCK = 100_000
PAGE = 4096
FULL = 5.0
"""Seconds that the disk stays full: longer than leases last."""
UNHANDLED = "SELECT COUNT(*) FROM monolift_delivery WHERE state <> 'done' AND module <> 'orders'"
"""Beside the shop's tasks of the night."""


class Filler:
    """A file that leaves nothing of the disk, or next to nothing."""

    def __init__(self, disk: Path) -> None:
        self.path = disk / "filler"

    def fill(self) -> None:
        """Take what is left, to the last byte."""
        with self.path.open("ab", buffering=0) as file:
            for size in (16 * PAGE, PAGE, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"\0" * size)

    def leave(self, pages: int) -> None:
        """Give back so much that little things fit and others do not."""
        with self.path.open("rb+") as file:
            file.truncate(max(self.path.stat().st_size - pages * PAGE, 0))

    def gone(self) -> None:
        """Give everything back."""
        self.path.unlink()


def main() -> None:
    """Sell and announce on a disk that is full most of the time; then look."""
    disk, events = Path(sys.argv[1]), int(sys.argv[2])
    chaos = System(disk, postgresql=False, log=disk.parent / "log")
    try:
        _run(chaos, Filler(disk), events)
    finally:
        chaos.stop()
    assert b"database or disk is full" in (disk.parent / "log").read_bytes(), "it was never full"


def _run(chaos: System, filler: Filler, events: int) -> None:
    chance = random.Random(7)
    sales = events // 10
    chaos.manage("migrate", "-v0")
    chaos.manage(
        "shell",
        "-c",
        "from tests.library.world.stock.models import Item\n"
        f"Item.objects.bulk_create(Item(sku=sku, left=0) for sku in {NAMES!r})\n"
        f"Item.objects.bulk_create(Item(sku=sku, left={STOCK}) for sku in ('a', 'b'))",
    )
    for number in range(2):
        chaos.start(f"worker-{number}", "manage.py", "monolift", "worker", "--threads", "2")
    chaos.start("writer", "-m", "tests.chaos.writer", ",".join(NAMES), str(events), "2", "7")
    chaos.start("seller", "-m", "tests.chaos.seller", str(sales))
    times = 0
    while chaos.running("writer") or chaos.running("seller"):
        before = _handled(chaos)
        eventually(lambda: _handled(chaos) > before or not chaos.running("writer"), what="work")  # noqa: B023 - called here
        time.sleep(chance.random() / 2)
        filler.fill()
        over = time.monotonic() + FULL
        while time.monotonic() < over:
            time.sleep(0.1)
            filler.leave(chance.randint(0, 3))
            time.sleep(0.1)
            filler.fill()
        filler.gone()
        times += 1
    begun = time.monotonic()
    eventually(
        lambda: (
            chaos.ask(UNHANDLED)[0][0] == 0
            and chaos.ask("SELECT COUNT(*) FROM monolift_outbox WHERE relayed_at IS NULL")[0][0]
            == 0
        ),
        what="everything is handled, and nothing waits for a person",
    )
    _look(chaos, events, sales)
    sys.stdout.write(
        f"{events} events and {sales} sales while the disk was full {times} times, drained in "
        f"{time.monotonic() - begun:.1f} s\n"
    )
    assert times > 1


def _handled(chaos: System) -> int:
    return int(chaos.ask("SELECT COUNT(*) FROM sales_mail")[0][0])


def _look(chaos: System, events: int, sales: int) -> None:
    levels = dict(chaos.ask("SELECT sku, \"left\" FROM stock_item WHERE sku LIKE 'article%'"))
    assert sum(levels.values()) >= events, "what was acknowledged is lost"
    handled: dict[str, list[int]] = {sku: [] for sku in NAMES}
    for (key,) in chaos.ask("SELECT key FROM sales_mail WHERE about = 'filled' ORDER BY id"):
        sku, _, quantity = key.partition(":")
        handled[sku].append(int(quantity))
    for sku, quantities in handled.items():
        assert sorted(quantities) == list(range(1, levels[sku] + 1)), f"{sku}: lost or doubled"
        assert all(one < other for one, other in pairwise(quantities)), f"{sku}: overtaken"
    ended = chaos.ask("SELECT status, COUNT(*) FROM monolift_saga GROUP BY status")
    assert ended == [("done", sales)], ended
    assert chaos.ask("SELECT state, COUNT(*) FROM sales_sale GROUP BY state") == [("closed", sales)]
    for sku, each in (("a", 1), ("b", 2)):
        left = chaos.ask(f"SELECT \"left\" FROM stock_item WHERE sku = '{sku}'")[0][0]
        assert left == STOCK - each * sales, f"{sku}: {left} left after {sales} sales"
    assert chaos.ask("PRAGMA integrity_check") == [("ok",)]


if __name__ == "__main__":
    main()
