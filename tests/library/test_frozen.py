"""A process that slept while a module moved, and acts on what it knew: refused, or right.

News of a move is speed. What keeps a sleeper from doing harm is that its old place refuses.
"""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.library.pairs import Pair
from tests.library.running import ROOT, eventually, python

CALLER = """
import django, json, os, signal
django.setup()
from monolift import use
from monolift.registry.topology import topology
from tests.library.world.stock.interface import Stock
stock = use(Stock)
stock.fill(sku={sku!r})
print("asleep", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
before = topology()
stock.fill(sku={sku!r}, quantity=3)
left = stock.levels(skus=[{sku!r}])[{sku!r}].left
print(json.dumps([before.place("stock").deployable, topology().place("stock").deployable, left]))
"""


WORKER = """
import django, json, os, signal, time
django.setup()
from monolift import atomic, publish
from monolift.events import relay, worker
from monolift.registry.topology import topology
from tests.library.world.sales.models import Mail
from tests.library.world.stock.events import Filled
for quantity in (1, 2):
    with atomic(module="stock"):
        publish(Filled(sku={sku!r}, quantity=quantity))
relay.relay("default")
print("asleep", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
before = topology()
end = time.monotonic() + 40
mine = Mail.objects.using("default").filter(key__startswith={sku!r})
while mine.count() < 2 and time.monotonic() < end:
    if not worker.work_once("default"):
        time.sleep(0.02)
print(json.dumps([before.place("sales").deployable, topology().place("sales").deployable,
                  [mail.key.rpartition(":")[2] for mail in mine.order_by("pk")]]))
"""


class Sleeper:
    """A process of a deployable that has done one thing, and stopped itself."""

    def __init__(self, pair: Pair, name: str = "shop", script: str = CALLER) -> None:
        self.sku = uuid4().hex
        self._process = subprocess.Popen(
            [sys.executable, "-c", script.format(sku=self.sku)],
            cwd=ROOT,
            env=pair.one[name].env,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "asleep\n"
        stat = Path(f"/proc/{self._process.pid}/stat")
        eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")

    def wake(self) -> list[Any]:
        """Where it took stock to be, where it knows it is now, and what is left there."""
        self._process.send_signal(signal.SIGCONT)
        said, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0
        answer: list[Any] = json.loads(said)
        return answer


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("pair"))
    try:
        for one in made.one.values():
            one.start()
        yield made
    finally:
        for one in made.one.values():
            one.close()


def send(pair: Pair, name: str, number: int) -> None:
    for pid in pair.one[name].processes:
        os.kill(pid, number)


def left_in(pair: Pair, name: str, table: str, sku: str) -> int | None:
    """What a deployable's own database says."""
    with contextlib.closing(sqlite3.connect(database_of(pair, name))) as link:
        found = link.execute(f"SELECT left FROM {table} WHERE sku = ?", (sku,)).fetchone()
    return int(found[0]) if found else None


def database_of(pair: Pair, name: str) -> str:
    script = "from django.conf import settings\nprint(settings.DATABASES['default']['NAME'])"
    return python(script, pair.one[name].env).strip()


def test_a_worker_that_slept_hands_over_to_where_the_subscriber_is(pair: Pair) -> None:
    """It comes to the old place, which answers 421, and keeps the events in its own database."""
    sleeper = Sleeper(pair, "warehouse", WORKER)
    pair.move("warehouse", module="sales")
    assert sleeper.wake() == ["shop", "warehouse", ["1", "2"]]
    assert mails_in(pair, "shop", sleeper.sku) == 0
    pair.move("shop", module="sales")


def test_a_caller_that_slept_is_told_and_follows(pair: Pair) -> None:
    """421 Misdirected: nothing was run at the old place, and the caller finds the new one."""
    sleeper = Sleeper(pair)
    pair.move("shop")
    eventually(lambda: pair.knows("warehouse")[1] == "shop", seconds=20)
    assert sleeper.wake() == ["warehouse", "shop", 3]
    assert left_in(pair, "warehouse", "stock_item", sleeper.sku) == 10
    assert left_in(pair, "shop", "stock_item", sleeper.sku) == 3


def test_an_old_place_that_slept_is_refused_by_its_database(pair: Pair) -> None:
    """Caller and callee know nothing of the move; the tables are as a cut-over leaves them."""
    pair.move("warehouse")
    eventually(lambda: pair.knows("warehouse")[1] == "warehouse", seconds=20)
    sleeper = Sleeper(pair)
    send(pair, "warehouse", signal.SIGSTOP)
    try:
        with contextlib.closing(sqlite3.connect(database_of(pair, "warehouse"))) as link:
            link.execute("ALTER TABLE stock_item RENAME TO monolift_moved_stock_item")
        pair.move("shop")
    finally:
        send(pair, "warehouse", signal.SIGCONT)
    assert sleeper.wake() == ["warehouse", "shop", 3]
    assert left_in(pair, "warehouse", "monolift_moved_stock_item", sleeper.sku) == 10
    assert left_in(pair, "shop", "stock_item", sleeper.sku) == 3


def mails_in(pair: Pair, name: str, sku: str) -> int:
    with contextlib.closing(sqlite3.connect(database_of(pair, name))) as link:
        found = link.execute("SELECT COUNT(*) FROM sales_mail WHERE key LIKE ?", (f"{sku}%",))
        return int(found.fetchone()[0])
