"""Writers, readers and workers that use stock while it is moved, and the audit afterwards."""

import random
import threading
import time
from typing import Any, Self

from django.db import connections

from monolift import use
from monolift.events.worker import Worker
from tests.keyed import under
from tests.library.lift.postgresql.places import Places
from tests.library.running import eventually
from tests.library.world.stock.interface import Stock

ARTICLES = 10_000
BUSY = 50
"""Articles that the load is about."""
EACH = 1_000_000


def seed(world: Places) -> None:
    """Ten thousand articles."""
    world.do(
        f"INSERT INTO stock_item (sku, \"left\") SELECT 'sku-' || n, {EACH} "
        f"FROM generate_series(1, {ARTICLES}) n"
    )


class Load:
    """Runs until told to stop; counts what was acknowledged."""

    def __init__(self, *, writers: int = 4, readers: int = 1) -> None:
        self.failed: list[str] = []
        self.stale: list[str] = []
        self.slowest = 0.0
        self.requests = 0
        self.held: set[str] = set()
        self.filled = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._loop, args=(self._write, number))
            for number in range(writers)
        ] + [
            threading.Thread(target=self._loop, args=(self._read, number))
            for number in range(readers)
        ]
        self._worker = Worker(threads=2)

    def __enter__(self) -> Self:
        self._worker.start()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if kind is not None:
            self._worker.stop()

    def settle(self, world: Places, *, owner: str) -> None:
        """Wait until all events are delivered, and end the worker."""
        try:
            mails = "SELECT count(*) FROM sales_mail WHERE about = 'filled'"
            [(before,)] = world.ask(mails)
            while before < self.filled:  # as long as there is any progress
                eventually(
                    lambda known=before: world.ask(mails) > [(known,)],
                    what=f"{self.filled} mails, not {before}: {self._waiting(world)}",
                )
                [(before,)] = world.ask(mails)
            assert world.ask("SELECT count(*) FROM monolift_outbox WHERE module = 'stock' "
                             "AND relayed_at IS NULL", owner) == [(0,)]  # fmt: skip
        finally:
            assert self._worker.stop()

    def more(self) -> None:
        """One more was filled, by the test."""
        with self._lock:
            self.filled += 1

    def _waiting(self, world: Places) -> str:
        return str(
            [
                world.ask(
                    "SELECT module, state, target, lease_until > now(), count(*), max(failure) "
                    "FROM monolift_delivery WHERE state <> 'done' GROUP BY 1, 2, 3, 4",
                    alias,
                )
                for alias in ("default", "stock_away")
            ]
        )

    def _loop(self, act: Any, number: int) -> None:
        chance = random.Random(number)
        count = 0
        while not self._stopping.is_set():
            count += 1
            begun = time.monotonic()
            try:
                act(chance, f"{act.__name__}-{number}-{count}")
            except Exception as error:
                with self._lock:
                    self.failed.append(f"{type(error).__name__}: {error}")
            with self._lock:
                self.requests += 1
                self.slowest = max(self.slowest, time.monotonic() - begun)
            time.sleep(0.005)
        connections.close_all()

    def _write(self, chance: random.Random, key: str) -> None:
        stock = use(Stock)
        sku = f"sku-{chance.randint(1, BUSY)}"
        if chance.random() < 0.2:
            stock.fill(sku=sku, quantity=1)
            with self._lock:
                self.filled += 1
            return
        with under(key):
            hold = stock.hold(sku=sku, quantity=1)
        with self._lock:
            self.held.add(key)
        if chance.random() < 0.05:
            with under(key):
                if stock.hold(sku=sku, quantity=1) != hold:
                    raise AssertionError(f"another answer under {key}")

    def _read(self, chance: random.Random, key: str) -> None:
        """What one has just written is there, wherever stock is."""
        sku = f"read-{key}"
        stock = use(Stock)
        stock.fill(sku=sku, quantity=3)
        with self._lock:
            self.filled += 1
        level = stock.levels(skus=[sku]).get(sku)
        if level is None or level.left != 3:
            self.stale.append(f"{sku}: {level}")

    def audit(self, world: Places, *, owner: str) -> None:
        """What was acknowledged is there, once."""
        assert not self.failed, self.failed[:3]
        assert not self.stale, self.stale[:3]
        assert world.ask("SELECT count(*) FROM stock_hold", owner) == [(len(self.held),)]
        [(left, held)] = world.ask(
            'SELECT (SELECT sum("left") FROM stock_item), (SELECT sum(quantity) FROM stock_hold)',
            owner,
        )
        filled = world.ask(
            "SELECT coalesce(sum((body::json ->> 'quantity')::int), 0) FROM monolift_outbox "
            "WHERE module = 'stock'",
            owner,
        )
        assert left + held == ARTICLES * EACH + filled[0][0]
        assert world.ask("SELECT count(*) FROM monolift_outbox WHERE module = 'stock'", owner) == [
            (self.filled,)
        ]
        assert world.ask(
            "SELECT count(*) FROM monolift_key WHERE module = 'stock' AND state = 'done'", owner
        ) == [(len(self.held),)]
        assert world.ask("SELECT count(*) FROM sales_mail WHERE about = 'filled'") == [
            (self.filled,)
        ]
