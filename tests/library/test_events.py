"""Events and tasks: nothing lost, nothing twice, lanes in order."""

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from pytest_django import Settings

from monolift import atomic, publish, use
from monolift.events import deliveries, handling, relay, worker
from monolift.events.tasks import task_named
from monolift.kernel import CallFailed, OutsideTransaction, clock
from monolift.kernel.ids import uuid7
from monolift.registry.settings import setting
from monolift.registry.sql import execute, fetch
from monolift.registry.topology import topology
from monolift.testing.scenario import Scenario
from tests.library.relaying import claim, relay_all
from tests.library.world.sales.models import Mail
from tests.library.world.sales.tasks import remind
from tests.library.world.stock import faults
from tests.library.world.stock.events import Counted, Filled
from tests.library.world.stock.interface import Stock
from tests.library.world.stock.models import Item

pytestmark = pytest.mark.django_db(databases="__all__")


def mails(about: str = "filled") -> list[str]:
    return list(Mail.objects.filter(about=about).order_by("pk").values_list("key", flat=True))


def fill(sku: str, *quantities: int) -> None:
    for quantity in quantities:
        with atomic(module="stock"):
            publish(Filled(sku=sku, quantity=quantity))


def fail(place: str, *, times: int) -> None:
    def act() -> None:
        raise RuntimeError("broken")

    faults.planned[place] = [act] * times


def test_an_event_reaches_its_handler_once(scenario: Scenario) -> None:
    fill("a", 1)
    assert mails() == []
    scenario.run_until_idle()
    scenario.run_until_idle()
    assert mails() == ["a:1"]


def test_publishing_outside_atomic_is_refused() -> None:
    with pytest.raises(OutsideTransaction, match="with atomic"):
        publish(Filled(sku="a", quantity=1))


def test_a_rolled_back_event_is_never_seen(scenario: Scenario) -> None:
    with pytest.raises(ZeroDivisionError), atomic(module="stock"):
        publish(Filled(sku="a", quantity=1))
        _ = 1 / 0
    with atomic(module="stock"):
        publish(Filled(sku="a", quantity=2))
        with pytest.raises(ZeroDivisionError), atomic():
            publish(Filled(sku="a", quantity=3))
            _ = 1 / 0
    scenario.run_until_idle()
    assert mails() == ["a:2"]


def test_a_module_announces_its_own_facts_only() -> None:
    with pytest.raises(CallFailed, match="belongs to sales"):
        use(Stock).misbehave(how="publish foreign")


def test_a_failing_handler_is_repeated_and_holds_its_lane_only(
    scenario: Scenario, settings: Settings
) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "BACKOFF": 30.0}
    fail("note", times=1)
    fill("a", 1, 2)
    fill("b", 3)
    relay_all()
    scenario.run_until_idle()
    assert mails() == ["b:3"]
    scenario.travel(minutes=5)
    assert mails() == ["b:3", "a:1", "a:2"]


def test_after_its_last_attempt_a_delivery_rests_as_failed(scenario: Scenario) -> None:
    fail("note", times=setting("ATTEMPTS"))
    fill("a", 1, 2)
    for _ in range(setting("ATTEMPTS") + 2):
        scenario.travel(minutes=5)
    assert scenario.failed_deliveries() == ["sales.note: RuntimeError: broken"]
    assert mails() == [], "the lane waits behind the failed one"
    alias = topology().alias("sales")
    (event,) = fetch(alias, "SELECT event FROM monolift_delivery WHERE state = 'failed'")[0]
    which = {"module": "sales", "event": event, "subscriber": "sales.note"}
    assert deliveries.resubmit(alias, **which)
    scenario.run_until_idle()
    assert mails() == ["a:1", "a:2"]
    assert not deliveries.resubmit(alias, **which), "it is done"


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_an_error_after_its_commit_does_not_run_a_handler_again(scenario: Scenario) -> None:
    """A hook of somebody's that raises; the same as a COMMIT whose answer is lost."""

    def hook() -> None:
        raise RuntimeError("too late")

    alias = topology().alias("sales")
    faults.planned["note"] = [lambda: transaction.on_commit(hook, using=alias)]
    fill("a", 1, 2)
    scenario.run_until_idle()
    scenario.travel(minutes=5)
    assert mails() == ["a:1", "a:2"]
    assert fetch(alias, "SELECT DISTINCT state FROM monolift_delivery WHERE module = 'sales'") == [
        ("done",)
    ]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_an_outbox_that_was_empty_is_looked_at_again_when_somebody_knocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A backlog is worked off without a look at it for each batch. At the latest POLL later."""
    looks = list[str]()
    look = relay.relay

    def seen(alias: str, **how: Any) -> relay.Relayed:
        looks.append(alias)
        return look(alias, **how)

    monkeypatch.setattr(relay, "relay", seen)
    alias, empty = topology().alias("stock"), worker.EmptyOutboxes()
    for _ in range(3):
        worker.work_once(alias, empty=empty)
    assert len(looks) == 1
    fill("a", 1)
    worker.work_once(alias, empty=empty)
    assert len(looks) == 2
    assert fetch(alias, "SELECT 1 FROM monolift_outbox WHERE relayed_at IS NULL") == []
    for _ in range(3):
        worker.work_once(alias, empty=empty)
    before = len(looks)
    later = time.monotonic() + setting("POLL")
    monkeypatch.setattr(worker, "monotonic", lambda: later)
    worker.work_once(alias, empty=empty)
    assert len(looks) == before + 1


def give_the_transaction_up() -> None:
    """What code does that catches an error where it happens."""
    with contextlib.suppress(IntegrityError):
        Item.objects.create(sku="a", left=1)


def test_a_command_whose_transaction_was_given_up_does_not_succeed() -> None:
    use(Stock).fill(sku="a", quantity=5)
    faults.planned["stock.hold.inside"] = [give_the_transaction_up]
    with pytest.raises(CallFailed, match="was caught"):
        use(Stock).hold(sku="a", quantity=1)
    assert use(Stock).levels(skus=["a"])["a"].left == 5


def test_a_handler_whose_transaction_was_given_up_is_repeated(
    scenario: Scenario, settings: Settings
) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "BACKOFF": 30.0}
    with atomic(module="sales"):
        Mail.objects.create(pk=1, about="before", key="1")

    def twice() -> None:
        with contextlib.suppress(IntegrityError):
            Mail.objects.create(pk=1, about="before", key="2")

    faults.planned["note"] = [twice]
    fill("a", 1)
    scenario.run_until_idle()
    alias = topology().alias("sales")
    ((failure,),) = fetch(alias, "SELECT failure FROM monolift_delivery WHERE module = 'sales'")
    assert "was caught" in failure
    scenario.travel(minutes=5)
    assert mails() == ["a:1"]


def test_skipping_a_failed_delivery_lets_its_lane_go_on(scenario: Scenario) -> None:
    fail("note", times=setting("ATTEMPTS"))
    fill("a", 1, 2)
    for _ in range(setting("ATTEMPTS") + 2):
        scenario.travel(minutes=5)
    alias = topology().alias("sales")
    (event,) = fetch(alias, "SELECT event FROM monolift_delivery WHERE state = 'failed'")[0]
    assert deliveries.skip(alias, module="sales", event=event, subscriber="sales.note")
    scenario.run_until_idle()
    assert mails() == ["a:2"]


def test_an_undecodable_event_fails_alone(scenario: Scenario) -> None:
    fill("a", 1)
    execute(topology().alias("stock"), "UPDATE monolift_outbox SET body = '{\"sku\": 7}'")
    fill("b", 2)
    for _ in range(setting("ATTEMPTS") + 1):
        scenario.travel(minutes=5)
    assert mails() == ["b:2"]
    (failure,) = scenario.failed_deliveries()
    assert "Expected `str`, got `int`" in failure


def test_a_delivery_for_an_unknown_subscriber_says_so(scenario: Scenario) -> None:
    fill("a", 1)
    relay_all()
    alias = topology().alias("sales")
    execute(alias, "UPDATE monolift_delivery SET subscriber = 'sales.gone'")
    for _ in range(setting("ATTEMPTS") + 1):
        scenario.travel(minutes=5)
    (failure,) = scenario.failed_deliveries()
    assert "no subscriber or task is called 'sales.gone'" in failure


def test_a_worker_that_was_taken_over_changes_nothing(scenario: Scenario) -> None:
    fill("a", 1)
    relay_all()
    alias = topology().alias("sales")
    slow = claim()
    assert len(slow) == 1
    assert claim() == [], "it is leased"
    clock.travel(by=_lease())
    quick = claim()
    assert len(quick) == 1
    handling.run(alias, quick)
    handling.run(alias, slow)
    assert mails() == ["a:1"]


def test_attempts_are_counted_before_they_run(scenario: Scenario) -> None:
    """A handler that kills its worker is given up as well."""
    fill("a", 1)
    relay_all()
    for _ in range(setting("ATTEMPTS")):
        assert len(claim()) == 1
        clock.travel(by=_lease())
    scenario.run_until_idle()
    (failure,) = scenario.failed_deliveries()
    assert "its worker ended while it ran" in failure
    assert mails() == []


def test_relaying_again_after_a_crash_before_the_mark_delivers_once(scenario: Scenario) -> None:
    fill("a", 1)
    scenario.run_until_idle()
    execute(topology().alias("stock"), "UPDATE monolift_outbox SET relayed_at = NULL")
    scenario.run_until_idle()
    assert mails() == ["a:1"]


def test_events_without_a_key_have_no_lane(scenario: Scenario) -> None:
    for total in (1, 2):
        with atomic(module="stock"):
            publish(Counted(total=total))
    scenario.run_until_idle()
    assert sorted(mails("counted")) == ["1", "2"]


def test_numbers_grow_after_the_outbox_was_purged(scenario: Scenario) -> None:
    alias = topology().alias("stock")
    fill("a", 1)
    (before,) = fetch(alias, "SELECT number FROM monolift_outbox")[0]
    execute(alias, "DELETE FROM monolift_outbox")
    fill("a", 2, 3)
    numbers = [row[0] for row in fetch(alias, "SELECT number FROM monolift_outbox ORDER BY event")]
    assert before < numbers[0] < numbers[1]


def test_a_task_runs_after_its_commit(scenario: Scenario) -> None:
    with atomic(module="sales"):
        remind.enqueue(key="1")
    scenario.run_until_idle()
    assert mails("reminder") == ["1"]
    assert task_named("sales.remind") is not None


def test_a_rolled_back_task_never_runs(scenario: Scenario) -> None:
    with pytest.raises(ZeroDivisionError), atomic(module="sales"):
        remind.enqueue(key="1")
        _ = 1 / 0
    scenario.run_until_idle()
    assert mails("reminder") == []


def test_a_timer_runs_at_its_time(scenario: Scenario) -> None:
    with atomic(module="sales"):
        remind.after(timedelta(minutes=20)).enqueue(key="1")
    scenario.travel(minutes=19)
    assert mails("reminder") == []
    scenario.travel(minutes=2)
    assert mails("reminder") == ["1"]


def waiting_tasks() -> int:
    alias = topology().alias("sales")
    ((count,),) = fetch(alias, "SELECT count(*) FROM monolift_delivery WHERE module = 'sales'")
    return int(count)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_tasks_of_a_block_come_with_its_commit(scenario: Scenario) -> None:
    with atomic(module="sales"):
        assert waiting_tasks() == 0  # what begins a transaction is sent at once
        remind.enqueue(key="1")
        remind.after(timedelta(minutes=20)).enqueue(key="3")
        with contextlib.suppress(ZeroDivisionError), atomic(module="sales"):
            remind.enqueue(key="undone")
            _ = 1 / 0
        remind.enqueue(key="2")
        travels = connections[topology().alias("sales")].vendor == "postgresql"
        assert waiting_tasks() == (0 if travels else 3)
    assert waiting_tasks() == 3
    scenario.run_until_idle()
    assert mails("reminder") == ["1", "2"]
    scenario.travel(minutes=21)
    with atomic(module="sales"):
        remind.after(timedelta(minutes=5)).enqueue(key="4")  # by the clock that was moved
    assert mails("reminder") == ["1", "2", "3"]
    scenario.travel(minutes=6)
    assert mails("reminder") == ["1", "2", "3", "4"]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no timezone"):
        remind.at(clock.now().replace(tzinfo=None))


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_late_commit_is_not_skipped(scenario: Scenario) -> None:
    """The sequence gap: a reader by "id above the last" loses what commits late."""
    one_writer = connections[topology().alias("stock")].vendor == "sqlite"
    opened, finish = threading.Event(), threading.Event()

    def late() -> None:
        with atomic(module="stock"):
            publish(Filled(sku="late", quantity=1))
            opened.set()
            finish.wait(10)
        connections.close_all()

    thread = threading.Thread(target=late)
    thread.start()
    opened.wait(10)
    if not one_writer:  # SQLite's other writers wait, so there no commit is late
        fill("early", 2)
        scenario.run_until_idle()
        assert mails() == ["early:2"]
    finish.set()
    thread.join()
    scenario.run_until_idle()
    assert mails() == (["late:1"] if one_writer else ["early:2", "late:1"])


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_two_workers_share_the_work_and_keep_the_lanes() -> None:
    for number in range(20):
        fill(f"lane{number % 4}", number)
    running = worker.Worker(threads=3)
    running.start()
    try:
        _until(lambda: len(mails()) == 20)
    finally:
        assert running.stop()
    for lane in range(4):
        order = [int(key.split(":")[1]) for key in mails() if key.startswith(f"lane{lane}:")]
        assert order == sorted(order)
    assert len(set(mails())) == 20


def test_identifiers_grow() -> None:
    made = [uuid7() for _ in range(2000)]
    assert made == sorted(made)
    assert len(set(made)) == 2000


def _lease() -> timedelta:
    return timedelta(seconds=setting("LEASE") + 1)


def _until(done: Callable[[], bool]) -> None:
    """Look until it is so; a test that waits in vain fails after a minute."""
    end = clock.monotonic() + 60
    while not done():
        assert clock.monotonic() < end, "it did not happen within a minute"
        threading.Event().wait(0.01)
