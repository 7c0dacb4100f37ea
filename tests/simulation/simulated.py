"""Publishers, two workers, their clients and the clock, stepped one after another by a seed."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F

from monolift import atomic, publish
from monolift.events import deliveries, handling, lanes, relay
from monolift.events.deliveries import Claimed
from monolift.kernel import SagaRun, Unavailable, clock
from monolift.registry.sql import execute, fetch
from monolift.registry.topology import modules_on, topology
from monolift.resilience import backoff
from monolift.sagas import runtime
from monolift.testing.scenario import Scenario
from tests.library.world.cards.services import network
from tests.library.world.sales.models import Mail, Sale
from tests.library.world.sales.sagas import Local, Selling
from tests.library.world.stock import faults
from tests.library.world.stock.events import Filled
from tests.library.world.stock.models import Hold, Item
from tests.simulation.death import Killed, dying

SKUS = ("x", "y", "z")
STOCK = 50
STEPS = 60
_IMPATIENT = 0.05
"""Seconds that a client waits who finds that somebody else is at it."""

_TABLES = ("outbox", "delivery", "key", "saga", "arrival")
_PLACES = {
    "note": "handler",
    "hold_first": "step",
    "hold_first.after": "lost answer",
    "stock.hold.inside": "callee",
    "write_down": "step",
    "write_down.after": "step",
    "give_back_first": "undo",
    "close": "step",
}


class Ears:
    """Stands for a log, to hear what the platform says about itself."""

    def __init__(self, heard: Counter[str]) -> None:
        self._heard = heard

    def info(self, event: str, **_: Any) -> None:
        """Hear."""
        self._heard[event] += 1

    warning = error = debug = info


@dataclass(frozen=True)
class Asked:
    """What a client wants, and asks for again under the same key."""

    saga: Any
    key: str
    arguments: tuple[tuple[str, str], ...]

    @classmethod
    def by(cls, chance: random.Random, number: int) -> "Asked":
        """One of the sagas; some cannot succeed."""
        saga: Any = chance.choice((Local, Selling))
        declined = saga is Selling and chance.random() < 0.4
        return cls(saga, f"saga-{number}", (("card", "declined"),) if declined else ())

    def run(self, *, timeout: float) -> SagaRun[Any]:
        """Ask; how it stands."""
        run: SagaRun[Any] = self.saga.run(key=self.key, timeout=timeout, **dict(self.arguments))
        return run

    def __str__(self) -> str:
        return f"{self.saga.__name__} {self.key}"


class Simulation:
    """One run. The same seed gives the same `trace`; `seen` counts what happened on the way."""

    def __init__(self, seed: int, seen: Counter[str]) -> None:
        self.chance = random.Random(seed)
        self.seen = seen
        self.trace: list[str] = []
        self.hands: dict[str, tuple[str, list[Claimed]]] = {}
        self.sagas: list[Asked] = []
        backoff.seed(seed)
        _clear()
        Item.objects.bulk_create(Item(sku=sku, left=0) for sku in SKUS)
        Item.objects.bulk_create(Item(sku=sku, left=STOCK) for sku in ("a", "b"))

    def run(self) -> None:
        """Step by step, then everything to its end, then look."""
        actions: list[tuple[Callable[[], str], int]] = [
            (self._publish, 5),
            (self._work, 14),
            (self._travel, 3),
            (self._plan_fault, 2),
            (self._start_saga, 2),
            (self._run_saga, 4),
            (self._sweep, 1),
        ]
        names, weights = zip(*actions, strict=True)
        for _ in range(STEPS):
            action: Callable[[], str] = self.chance.choices(names, weights)[0]
            dies = self.chance.randint(0, 9) if self.chance.random() < 0.2 else None
            try:
                with dying(after=dies):
                    self.trace.append(action())
            except Killed:
                name = action.__name__.strip("_")
                self.seen[f"killed in {name}"] += 1
                self.trace.append(f"{name} killed after {dies}")
        self._settle()
        self._look()

    # Steps ------------------------------------------------------------------------------------

    def _publish(self) -> str:
        sku = self.chance.choice(SKUS)
        fails = self.chance.random() < 0.1
        try:
            with atomic(module="stock"):
                Item.objects.filter(sku=sku).update(left=F("left") + 1)
                publish(Filled(sku=sku, quantity=Item.objects.get(sku=sku).left))
                if fails:
                    raise LookupError(sku)
        except LookupError:
            self.seen["rolled back"] += 1
        return f"publish {sku} {fails}"

    def _work(self) -> str:
        """A worker takes a batch, or runs the one it holds; in between others may."""
        name = self.chance.choice(("one", "two"))
        held = self.hands.pop(name, None)
        if held is None:
            alias = topology().alias(self.chance.choice(("stock", "sales")))
            if self.chance.random() < 0.5:
                batch = relay.relay(alias, claim=modules_on(alias)).claimed
            else:
                share = self.chance.randint(1, 4)
                batch = deliveries.claim(alias, modules=modules_on(alias), share=share)
            self._claimed(batch)
            self.hands[name] = (alias, batch)
            return f"{name} takes {len(batch)}"
        alias, batch = held
        handling.TURN = self.chance.choice((0.0, 60.0))
        handling.run(alias, batch)
        return f"{name} runs {[one.subscriber for one in batch]}"

    def _claimed(self, batch: list[Claimed]) -> None:
        for one in batch:
            if one.crashed:
                self.seen["suspected of a crash"] += 1
            if one.attempts > 1:
                self.seen["tried again"] += 1

    def _travel(self) -> str:
        seconds = self.chance.choice((0.5, 2.0, 31.0, 61.0))
        clock.travel(timedelta(seconds=seconds))
        return f"travel {seconds}"

    def _plan_fault(self) -> str:
        place = self.chance.choice(sorted(_PLACES))

        def act() -> None:
            self.seen[f"fault: {_PLACES[place]}"] += 1
            raise RuntimeError("a bug") if self.chance.random() < 0.5 else Unavailable("x", "gone")

        faults.planned.setdefault(place, []).append(act)
        return f"fault at {place}"

    def _start_saga(self) -> str:
        if self.sagas and self.chance.random() < 0.4:
            asked = self.chance.choice(self.sagas)  # a client that saw no answer asks again
            self.seen["asked again"] += 1
            run = asked.run(timeout=_IMPATIENT)
        else:
            asked = Asked.by(self.chance, len(self.sagas))
            self.sagas.append(asked)
            run = asked.run(timeout=5)
        return f"{asked} {run.status}"

    def _run_saga(self) -> str:
        return f"saga {runtime.run_next(topology().alias('sales'))}"

    def _sweep(self) -> str:
        found = sum(lanes.sweep(alias, modules=modules_on(alias)) for alias in _aliases())
        self.seen["left by a crash"] += found
        return f"sweep {found}"

    # The end ----------------------------------------------------------------------------------

    def _settle(self) -> None:
        faults.planned.clear()
        handling.TURN = 60.0
        clock.travel(timedelta(seconds=61))
        for asked in self.sagas:
            asked.run(timeout=5)
        scenario = Scenario()
        for _ in range(6):
            scenario.travel(seconds=61)
            for alias in _aliases():
                self.seen["left by a crash"] += lanes.sweep(alias, modules=modules_on(alias))
        scenario.run_until_idle()

    def _look(self) -> None:
        left = dict(Item.objects.values_list("sku", "left"))
        came: dict[str, list[int]] = {sku: [] for sku in SKUS}
        for key in Mail.objects.filter(about="filled").order_by("pk").values_list("key", flat=True):
            sku, _, quantity = key.partition(":")
            came[sku].append(int(quantity))
        for sku in SKUS:
            assert came[sku] == list(range(1, left[sku] + 1)), f"{sku}: lost, doubled or overtaken"
        ended = {}
        for asked in self.sagas:
            run = asked.saga.find(key=asked.key)
            assert run is not None, f"{asked} was never started"
            assert run.status.ended, f"{asked} is {run.status}: {run.failure}"
            ended[asked.key] = str(run.status)
            self.seen[f"saga {run.status}"] += 1
        for sku in ("a", "b"):
            held = sum(Hold.objects.filter(sku=sku).values_list("quantity", flat=True))
            assert left[sku] + held == STOCK, f"stock of {sku} is not conserved"
        for key, state in Sale.objects.values_list("key", "state"):
            mails = Counter(Mail.objects.filter(key=key).values_list("about", flat=True))
            wanted = {"sold": 1, "dropped": 1} if state == "dropped" else {"sold": 1}
            assert dict(mails) == wanted, f"{key} is {state}, its mails: {dict(mails)}"
        for alias in _aliases():
            sql = "SELECT subscriber, state, failure FROM monolift_delivery WHERE state <> 'done'"
            assert fetch(alias, sql) == []
        self.trace.append(f"{came} {ended}")


def _aliases() -> list[str]:
    from monolift.events.worker import aliases

    return aliases()


def _clear() -> None:
    faults.planned.clear()
    network().clear()
    for alias in _aliases():
        for table in _TABLES:
            execute(alias, f"DELETE FROM monolift_{table}")
    for model in (Mail, Sale, Hold, Item):
        model.objects.all().delete()
