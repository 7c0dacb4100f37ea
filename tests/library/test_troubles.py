"""A database that is full, gone or in the way: run again as a whole, and no attempt is used up."""

import contextlib
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from django.db import DatabaseError, close_old_connections, connections
from pytest_django import Settings

from monolift import SagaStatus, atomic, publish, use
from monolift.events import deliveries as events_deliveries
from monolift.events import handling, lanes, relay
from monolift.events import owed as events_owed
from monolift.events.deliveries import Claimed
from monolift.kernel import Unavailable, clock
from monolift.registry import topology as registry
from monolift.registry.settings import setting
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from monolift.registry.troubles import in_the_way, out_of_order
from monolift.sagas import owed as sagas_owed
from monolift.sagas import runtime
from monolift.sagas.record import Record
from monolift.testing.scenario import Scenario
from tests.library import failing
from tests.library.relaying import claim, relay_all
from tests.library.world.sales.models import Mail, Sale
from tests.library.world.sales.sagas import Local, Selling
from tests.library.world.stock import faults
from tests.library.world.stock.events import Filled
from tests.library.world.stock.interface import Level, Stock
from tests.library.world.stock.models import Item

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

STATES = ["40001", "40P01"]
# Where every module has a database of its own, that of a callee is another's: its call counts.
OF_A_CALL = ["stock.hold.inside"] if os.environ.get("MONOLIFT_DATABASES") != "each" else []


@pytest.fixture(params=[True, False], ids=["fused", "unfused"])
def stock(request: pytest.FixtureRequest, settings: Settings) -> Stock:
    settings.MONOLIFT = {**settings.MONOLIFT, "FUSION": request.param}
    for sku in ("a", "b"):
        use(Stock).fill(sku=sku, quantity=10)
    Scenario().run_until_idle()
    Mail.objects.all().delete()
    return use(Stock)


def fill(sku: str) -> None:
    with atomic(module="stock"):
        publish(Filled(sku=sku, quantity=1))


def sales() -> str:
    return topology().alias("sales")


def mails() -> list[str]:
    return list(Mail.objects.values_list("key", flat=True))


def deliveries() -> list[tuple[str, int, str]]:
    rows = fetch(sales(), "SELECT state, attempts, failure FROM monolift_delivery ORDER BY number")
    return [(state, attempts, failure) for state, attempts, failure in rows]


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (failing.in_the_way, in_the_way),
        (partial(failing.in_the_way, state="40P01"), in_the_way),
        (failing.no_room, out_of_order),
        (failing.break_down, out_of_order),
    ],
    ids=["serialisation failure", "deadlock", "no room", "breakdown"],
)
def test_each_trouble_is_known_by_its_code(
    trouble: Callable[[], None], kind: Callable[[BaseException], bool]
) -> None:
    with pytest.raises(DatabaseError) as caught, atomic(module="sales"):
        Mail.objects.create(about="before", key="1")
        trouble()
    failing.mend()
    assert [one(caught.value) for one in (in_the_way, out_of_order)] == [
        kind is in_the_way,
        kind is out_of_order,
    ]
    assert mails() == []


def test_a_mistake_is_no_trouble() -> None:
    with pytest.raises(DatabaseError) as caught, atomic(module="sales"):
        fetch(topology().alias("sales"), "SELECT nothing FROM nowhere")
    assert not in_the_way(caught.value)
    assert not out_of_order(caught.value)


@pytest.mark.parametrize("state", STATES)
def test_a_handler_that_is_in_the_way_runs_again_as_a_whole(state: str, scenario: Scenario) -> None:
    faults.planned["note"] = [partial(failing.in_the_way, state=state)] * 3
    fill("a")
    for _ in range(5):
        scenario.travel(minutes=1)
    assert faults.planned["note"] == []
    assert mails() == ["a:1"]


def test_a_full_disk_uses_up_no_attempt_of_an_event(scenario: Scenario, settings: Settings) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "BACKOFF": 30.0}
    times = 3 * setting("ATTEMPTS")
    faults.planned["note"] = [failing.no_room] * 10 * times  # a pause may by chance be none
    fill("a")
    for _ in range(times):
        scenario.travel(minutes=2)
    assert len(faults.planned["note"]) <= 9 * times
    ((state, attempts, failure),) = deliveries()
    assert (state, attempts) == ("pending", 0)
    assert "OperationalError" in failure
    faults.planned["note"].clear()
    scenario.travel(minutes=2)
    assert mails() == ["a:1"]


def test_what_could_not_be_recorded_is_given_back_before_its_lease_ends(scenario: Scenario) -> None:
    fill("a")
    relay_all()
    faults.planned["note"] = [failing.break_down]
    with contextlib.suppress(DatabaseError):
        handling.run_due(topology().alias("sales"), modules=["sales"])
    failing.mend()
    scenario.travel(seconds=7)
    assert mails() == ["a:1"]
    assert deliveries() == [("done", 1, "")], "it counts as one attempt"


@pytest.mark.parametrize("lately", [True, False], ids=["after a move", "at any time"])
def test_what_could_not_be_recorded_because_of_another_is_given_back(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, lately: bool
) -> None:
    """What waits for a lock may be in the way of a move; also when it is not, it is owed."""
    monkeypatch.setattr(registry, "_changed", math.inf if lately else -math.inf)
    for sku in "abc":
        fill(sku)
    relay_all()
    batch = claim()
    with failing.in_use(), contextlib.suppress(DatabaseError):
        handling.run(sales(), batch)
    assert mails() == []
    while handling.run_due(sales(), modules=["sales"]):
        pass
    assert mails() == ["a:1", "b:1", "c:1"]
    assert deliveries() == [("done", 1, "")] * 3, "none of them crashed"


def test_a_lane_that_cannot_go_on_costs_nothing_but_time(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handling, "TURN", 0.0)
    for sku in "aabc":
        fill(sku)
    relay_all()
    with failing.no_lane_goes_on():
        handling.run(sales(), claim())
        assert mails() == ["a:1"]
        left = claim()
        assert [(one.key, one.attempts) for one in left] == [("b", 1), ("c", 1)]
    assert lanes.sweep(sales(), modules=["sales"]) == 1
    assert [one.key for one in claim()] == ["a"]


@pytest.mark.one_database  # what is elsewhere is claimed there
def test_who_relays_runs_what_it_claimed_though_a_lane_cannot_go_on(scenario: Scenario) -> None:
    for sku in "aa":
        fill(sku)
    relay_all()
    with failing.no_lane_goes_on():
        handling.run(sales(), claim())
        for sku in "ab":
            fill(sku)
        relayed = relay.relay(sales(), claim=["sales"])
    assert [one.key for one in relayed.claimed] == ["b"]


@pytest.mark.one_database  # what is elsewhere is claimed there
def test_what_was_claimed_before_the_database_broke_down_is_given_back(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("a")
    with monkeypatch.context() as patched:
        patched.setattr(relay, "go_on", lambda alias, lanes: failing.break_down())
        with pytest.raises(DatabaseError):
            relay.relay(sales(), claim=["sales"])
    failing.mend()
    close_old_connections()
    assert handling.run_due(sales(), modules=["sales"])
    assert deliveries() == [("done", 1, "")]


# Given back once, and only what is owed ---------------------------------------------------------


def past_the_lease() -> None:
    clock.travel(timedelta(seconds=setting("LEASE") + 1))


def test_what_others_have_claimed_in_peace_keeps_its_attempt(scenario: Scenario) -> None:
    fill("a")
    relay_all()
    first = claim()
    events_deliveries.give_back(sales(), first)
    claim()
    events_owed.owe(sales(), first)
    events_owed.give_back_owed(sales())
    assert deliveries() == [("pending", 1, "")]


def test_what_was_recorded_is_not_owed(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its next worker may really have crashed: that stays counted."""
    monkeypatch.setattr(registry, "_changed", -math.inf)
    monkeypatch.setattr(handling, "TURN", 60.0)  # however busy the machine is
    monkeypatch.setattr(handling, "_seconds", {})
    fill("a")
    fill("b")
    relay_all()
    stack = contextlib.ExitStack()
    failed = events_deliveries.failed

    def and_then(*arguments: Any) -> None:
        failed(*arguments)
        stack.enter_context(failing.in_use())

    faults.planned["note"] = [_bug]
    monkeypatch.setattr(events_deliveries, "failed", and_then)
    with stack, pytest.raises(DatabaseError):
        handling.run(sales(), claim())
    ((_, owed),) = events_owed._owed
    assert [one.key for one in owed] == ["b"]
    scenario.run_until_idle()


def test_threads_that_give_back_at_once_take_off_one_attempt(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("a")
    relay_all()
    first = claim()
    for _ in range(3):
        past_the_lease()
        claim()
    give_back = events_deliveries.give_back

    def meanwhile(alias: str, batch: Sequence[Claimed]) -> None:
        events_owed.give_back_owed(alias)  # another thread
        give_back(alias, batch)

    monkeypatch.setattr(events_deliveries, "give_back", meanwhile)
    events_owed.owe(sales(), first)
    events_owed.give_back_owed(sales())
    assert deliveries() == [("pending", 3, "")]


def test_what_is_given_back_twice_loses_one_attempt(scenario: Scenario) -> None:
    fill("a")
    relay_all()
    claim()
    past_the_lease()
    suspect = claim()
    for _ in range(2):
        events_deliveries.give_back(sales(), suspect)
    clock.travel(timedelta(seconds=1))
    (again,) = claim()
    assert (again.attempts, again.crashed) == (2, True)


def test_a_saga_that_could_not_be_recorded_because_of_another_has_not_crashed(
    stock: Stock, scenario: Scenario
) -> None:
    stack = contextlib.ExitStack()
    faults.planned["authorise.after"] = [lambda: stack.enter_context(failing.in_use())]
    Selling.start(key="1")
    with stack, pytest.raises(DatabaseError):
        runtime.run_next(sales())
    assert not faults.planned["authorise.after"]
    for _ in range(2):  # it is given back, and then taken
        scenario.travel(seconds=7)
    run = Selling.find(key="1")
    assert run is not None
    assert run.status is SagaStatus.DONE, run.failure
    assert "crashed" not in {entry.what for entry in run.history}


def test_a_saga_that_nobody_else_can_know_of_is_not_owed(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed: list[Record] = []
    owe = sagas_owed.owe
    monkeypatch.setattr(runtime, "owe", lambda record: (owed.append(record), owe(record)))
    with failing.unreachable(), pytest.raises(Unavailable, match="its database"):
        Local.run(key="1", timeout=5)
    assert len(owed) == 1
    assert sagas_owed._owed == []
    faults.planned["write_down"] = [failing.break_down]
    with pytest.raises(Unavailable, match="its database"):
        Local.run(key="1", timeout=5)
    failing.mend()
    assert [record.sent for record in owed] == [False, True], "the second one may be stored"


def test_who_runs_a_saga_inline_gives_back_what_is_owed(stock: Stock) -> None:
    Selling.start(key="1")
    record = Record.claim(sales())
    assert record is not None
    sagas_owed.owe(record)
    Local.run(key="2", timeout=5)
    assert sagas_owed._owed == []
    assert fetch(sales(), "SELECT lease_until FROM monolift_saga") == [(None,)] * 2


def test_not_more_sagas_are_owed_than_can_be_given_back(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sagas_owed, "_owed", [])
    monkeypatch.setattr(sagas_owed, "MOST", 3)
    Selling.start(key="1")
    record = Record.claim(sales())
    assert record is not None
    for number in range(5):
        sagas_owed.owe(replace(record, token=str(number)))
    assert [one.token for one in sagas_owed._owed] == ["2", "3", "4"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "place", ["hold_first", "stock.hold.inside", "write_down.after", "decide", "close.after"]
)
def test_a_saga_that_is_in_the_way_runs_again_as_a_whole(
    stock: Stock, scenario: Scenario, place: str, state: str
) -> None:
    module = "stock" if place.startswith("stock") else "sales"
    faults.planned[place] = [partial(failing.in_the_way, module, state=state)] * 2
    Local.run(key="1", timeout=5)
    scenario.travel(minutes=1)
    run = Local.find(key="1")
    assert run is not None
    assert run.status is SagaStatus.DONE, run.failure
    assert faults.planned[place] == []
    assert stock.levels(skus=["a", "b"]) == {
        "a": Level(left=9, held=1),
        "b": Level(left=8, held=2),
    }
    assert list(Sale.objects.values_list("state", flat=True)) == ["closed"]
    assert Mail.objects.filter(about="sold").count() == 1


@pytest.mark.parametrize("place", [*OF_A_CALL, "write_down", "close"])
def test_a_breakdown_uses_up_no_attempt_of_a_saga(
    stock: Stock, scenario: Scenario, place: str
) -> None:
    times = 2 * Selling.saga_attempts
    faults.planned[place] = [failing.break_down] * times
    Selling.start(key="1")
    for _ in range(3 * times):
        with contextlib.suppress(DatabaseError):
            scenario.travel(seconds=7)
        failing.mend()
    assert faults.planned[place] == []
    run = Selling.find(key="1")
    assert run is not None
    assert run.status is SagaStatus.DONE, run.failure
    assert "crashed" not in {entry.what for entry in run.history}, "no worker died"
    assert Item.objects.get(sku="a").left == 9


def _two_in_turn(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, owed: ModuleType, *, times: int
) -> None:
    """Two processes whose disk lets them claim and nothing else; in the end they owe nothing."""
    owed_by: list[list[object]] = [[], []]
    for number in range(times):
        monkeypatch.setattr(owed, "_owed", owed_by[number % 2])
        with contextlib.suppress(DatabaseError):
            scenario.travel(seconds=setting("LEASE") + 1)
        failing.mend()
    assert owed_by == [[], []]


def test_sagas_that_could_not_be_given_back_in_time_have_not_crashed(
    stock: Stock, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = 3 * Selling.saga_attempts
    faults.planned["write_down"] = [failing.break_down] * times
    Selling.start(key="1")
    _two_in_turn(scenario, monkeypatch, sagas_owed, times=3 * times)
    assert faults.planned["write_down"] == []
    run = Selling.find(key="1")
    assert run is not None
    assert run.status is SagaStatus.DONE, run.failure
    if connections[topology().alias("sales")].vendor == "sqlite":  # another session can do it
        assert "crashed" in {entry.what for entry in run.history}, "no lease ended"


def test_events_that_could_not_be_given_back_in_time_have_no_attempt(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("a")
    relay_all()
    times = 2 * setting("ATTEMPTS")
    faults.planned["note"] = [failing.break_down] * times
    _two_in_turn(scenario, monkeypatch, events_owed, times=2 * times)
    assert faults.planned["note"] == []
    assert mails() == ["a:1"]


if OF_A_CALL:

    @pytest.mark.parametrize("place", [name.replace("hold", "give_back") for name in OF_A_CALL])
    def test_a_breakdown_uses_up_no_attempt_of_turning_back(
        stock: Stock, scenario: Scenario, place: str
    ) -> None:
        times = 3 * Selling.saga_attempts
        faults.planned[place] = [failing.break_down] * times
        faults.planned["hold_second"] = [_bug] * (Selling.saga_attempts + 1)
        Selling.start(key="1")
        for _ in range(3 * times):
            with contextlib.suppress(DatabaseError):
                scenario.travel(minutes=1)
            failing.mend()
        assert faults.planned[place] == []
        run = Selling.find(key="1")
        assert run is not None
        assert run.status is SagaStatus.UNDONE, run.failure
        assert stock.levels(skus=["a"]) == {"a": Level(left=10, held=0)}


def _bug() -> None:
    raise RuntimeError("a bug")


def test_a_client_that_goes_on_with_a_saga_hears_of_its_database(stock: Stock) -> None:
    Local.start(key="1")
    faults.planned["write_down"] = [failing.break_down]
    with pytest.raises(Unavailable, match="its database"):
        Local.run(key="1", timeout=5)
    failing.mend()
