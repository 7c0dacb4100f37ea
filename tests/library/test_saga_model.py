"""Fused, unfused and switched while running: the same business state, whatever goes wrong.

Each plan puts up to three faults into a saga: domain errors, lost answers, real IntegrityErrors and
serialisation failures, permanent bugs, failing undos, and SIGKILL of the process that runs it. The
plan is then run in each mode, every piece of it in a forked child that may die, and recovered until
the saga has ended. What is compared is stock, holds, money at the card network, sales, mails and
how the saga ended.

`MONOLIFT_MODEL_PLANS` sets how many plans are tried.
"""

import os
import random
import signal
import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings

from monolift import SagaStatus, use
from monolift.events import worker
from monolift.kernel import DomainError, clock
from monolift.registry.settings import setting
from monolift.registry.sql import execute
from monolift.sagas.forward import Forward
from monolift.testing.scenario import Scenario
from tests.library.failing import in_the_way
from tests.library.world.cards.services import network
from tests.library.world.sales.models import Mail, Sale
from tests.library.world.sales.sagas import Local, Selling
from tests.library.world.stock import faults
from tests.library.world.stock.interface import Stock
from tests.library.world.stock.models import Hold, Item

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def together[F: Callable[..., None]](test: F) -> F:
    """Not a test where every module has a database of its own: nothing is fused there."""
    test.__test__ = os.environ.get("MONOLIFT_DATABASES") != "each"  # type: ignore[attr-defined]  # read by pytest
    return test


PLANS = int(os.environ.get("MONOLIFT_MODEL_PLANS", "40"))
START = int(os.environ.get("MONOLIFT_MODEL_START", "0"))
ROUNDS = 40
FOREVER = 250

_STEPS = {
    Selling: ("hold_first", "hold_second", "authorise", "write_down", "capture", "close"),
    Local: ("hold_first", "write_down", "decide", "hold_second", "close"),
}
_UNDOS = {
    Selling: ("give_back_first", "give_back_second", "void", "cross_out"),
    Local: ("give_back_first", "cross_out"),
}
_INSIDE = ("stock.hold.inside", "cards.authorise.after", "cards.capture.after")


class Fault:
    """What happens at a place, the first `times` times it is reached, in whichever process."""

    def __init__(self, place: str, kind: str, times: int) -> None:
        self.place = place
        self.kind = kind
        self.times = times
        self.count = faults.SharedCount()

    def __call__(self) -> None:
        if self.count.next() < self.times:
            _KINDS[self.kind]()

    def __repr__(self) -> str:
        return f"{self.kind} at {self.place} x{self.times}"


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _lose_answer() -> None:
    raise TimeoutError("the answer was lost")


def _violate() -> None:
    Item.objects.create(sku="a", left=1)  # there is one: a real IntegrityError


def _bug() -> None:
    raise RuntimeError("a bug")


_KINDS: dict[str, Callable[[], None]] = {
    "in the way": in_the_way,
    "kill": _kill,
    "lost answer": _lose_answer,
    "integrity error": _violate,
    "bug": _bug,
}


class Plan:
    """One saga, the stock it finds, and the faults it meets. The same seed is the same plan."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        dice = random.Random(seed)
        self.saga: Any = dice.choice((Selling, Local))
        self.arguments: dict[str, Any] = {}
        if self.saga is Selling and dice.random() < 0.25:
            self.arguments["card"] = "declined"
        # The last step's stock, or the first one's, may be missing: a lasting domain error.
        self.stock = {"a": dice.choice((0, 10, 10, 10)), "b": dice.choice((1, 10, 10, 10))}
        self.faults = []
        for _ in range(dice.randint(0, 3)):
            if dice.random() < 0.3:
                place = dice.choice(_UNDOS[self.saga]) + dice.choice(("", ".after"))
            elif dice.random() < 0.2:
                place = dice.choice(_INSIDE)
            else:
                place = dice.choice(_STEPS[self.saga]) + dice.choice(("", ".after"))
            kind = dice.choice(
                ("kill", "kill", "lost answer", "integrity error", "in the way", "bug")
            )
            lasting = kind == "bug" and not place.startswith(("cards", "stock"))
            self.faults.append((place, kind, FOREVER if lasting else 1))

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.saga.__name__} {self.arguments} {self.stock} {self.faults}"


def outcome(plan: Plan, mode: str, settings: Settings) -> dict[str, Any]:
    """Run a plan to its end in one mode; the business state it leaves."""
    _empty_tables()
    for sku, quantity in plan.stock.items():
        use(Stock).fill(sku=sku, quantity=quantity)
    made = [Fault(*fault) for fault in plan.faults]
    faults.planned.clear()
    for fault in made:
        # More often than any run comes by; the fault itself counts, across processes.
        faults.planned[fault.place] = [_all_at(fault.place, made)] * 2000
    dice = random.Random(plan.seed)
    with clock.travelling():
        for _ in range(ROUNDS):
            fused = {"fused": True, "unfused": False}.get(mode, dice.random() < 0.5)
            settings.MONOLIFT["FUSION"] = fused
            died = _in_child(lambda: _go_on(plan))
            clock.travel(timedelta(seconds=setting("LEASE") + 61))
            run = None if died else plan.saga.find(key="1")
            if run is not None and run.status.ended:
                break
        else:
            raise AssertionError(f"it does not end: {plan}, {run}")
        Scenario().run_until_idle()
    state = {
        "ended": run.status.value,
        "left": dict(Item.objects.values_list("sku", "left")),
        "held": sorted(Hold.objects.values_list("sku", "quantity")),
        "sales": list(Sale.objects.values_list("state", flat=True)),
        "mails": sorted(Mail.objects.exclude(about="filled").values_list("about", flat=True)),
        "money": sorted(network().states()),
    }
    for fault in made:
        fault.count.close()
    faults.planned.clear()
    return state


def _all_at(place: str, made: list[Fault]) -> Callable[[], None]:
    here = [fault for fault in made if fault.place == place]

    def act() -> None:
        for fault in here:
            fault()

    return act


def _go_on(plan: Plan) -> None:
    """What a process does that starts, or recovers, the saga. The client repeats its request."""
    plan.saga.run(key="1", timeout=5, **plan.arguments)
    for alias in worker.aliases():
        worker.work_once(alias)


def _in_child(work: Callable[[], None]) -> bool:
    """Run `work` in a forked child; True when the child was killed."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:  # the parent reports that the child raised
            traceback.print_exc()
        finally:
            connections.close_all()
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child raised; see above"
    return os.WIFSIGNALED(status)


def _empty_tables() -> None:
    network().clear()
    for alias in worker.aliases():
        for table in ("saga", "outbox", "delivery", "key", "arrival"):
            execute(alias, f"DELETE FROM monolift_{table}")
    for model in (Item, Hold, Sale, Mail):
        model.objects.all().delete()


def consistent(state: dict[str, Any], plan: Plan) -> bool:
    """What must hold after any run that ended without a human: money, stock and sale agree."""
    held = dict.fromkeys(plan.stock, 0)
    for sku, quantity in state["held"]:
        held[sku] += quantity
    if any(state["left"][sku] + held[sku] != plan.stock[sku] for sku in plan.stock):
        return False
    if state["ended"] == "done":
        sold = state["sales"] == ["closed"] and held == {"a": 1, "b": 2}
        return sold and (plan.saga is Local or state["money"] == ["captured"])
    if state["ended"] == "undone":
        given_back = not state["held"] and "captured" not in state["money"]
        return given_back and "authorised" not in state["money"] and "sold" not in state["sales"]
    return True


@pytest.fixture
def calm(settings: Settings) -> Settings:
    settings.MONOLIFT = {**settings.MONOLIFT, "BACKOFF": 0.001, "LEASE": 5.0}
    return settings


def test_every_mode_ends_in_the_same_business_state(calm: Settings) -> None:
    ends = set()
    for seed in range(START, START + PLANS):
        plan = Plan(seed)
        unfused = outcome(plan, "unfused", calm)
        assert consistent(unfused, plan), f"{plan}\n{unfused}"
        for mode in ("fused", "switched"):
            other = outcome(plan, mode, calm)
            assert other == unfused, f"{plan}\nunfused {unfused}\n{mode} {other}"
        ends.add(unfused["ended"])
    assert ends >= {"done", "undone", "stuck"}, "the plans do not reach every end"


@together
def test_the_model_sees_a_runner_that_rolls_a_refused_group_back(
    calm: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The naive fusion differs, so equality above is not blindness."""

    def literal(self: Any, group: Any) -> None:
        before = self.held.record.snapshot()
        failed, error = self._try_group(group)
        if error is not None:
            self.held.record.restore(before)
            if isinstance(error, DomainError):
                self._refused(group[failed], error, external=False)
            else:
                self._again_or_give_up(group[0], error)

    plans = [plan for plan in map(Plan, range(400)) if plan.saga is Local and plan.stock["b"] == 1]
    expected = [outcome(plan, "unfused", calm) for plan in plans[:8]]
    monkeypatch.setattr(Forward, "_group", literal)
    naive = [outcome(plan, "fused", calm) for plan in plans[:8]]
    assert naive != expected


def _killed_after_the_callees_commit() -> None:
    faults.planned["hold_first.after"] = [_kill]
    Selling.run(key="1")


def _recovered_fused(calm: Settings) -> int:
    """A step's call has committed, its result was not saved; the plan is fused meanwhile."""
    _empty_tables()
    use(Stock).fill(sku="a")
    use(Stock).fill(sku="b")
    calm.MONOLIFT["FUSION"] = False
    assert _in_child(_killed_after_the_callees_commit)
    calm.MONOLIFT["FUSION"] = True
    with clock.travelling():
        clock.travel(timedelta(seconds=setting("LEASE") + 1))
        assert Scenario().settle(Selling, key="1").status is SagaStatus.DONE
    return Item.objects.get(sku="a").left


def test_an_open_intent_is_finished_under_its_key(calm: Settings) -> None:
    """Stock has no natural key: only the intent keeps the effect from happening twice."""
    assert _recovered_fused(calm) == 9


@together
def test_without_the_intent_the_effect_would_happen_twice(
    calm: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = Forward.go

    def forget(self: Any) -> None:
        self.held.progress.intent = None
        self.held.alone = False
        self.held.record.attempts = 0
        forward(self)

    monkeypatch.setattr(Forward, "go", forget)
    assert _recovered_fused(calm) == 8
