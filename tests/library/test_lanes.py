"""Lanes: one delivery active, the others behind it; nothing waits for nothing."""

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from django.test.utils import CaptureQueriesContext

from monolift import atomic, publish
from monolift.events import deliveries, handling, handover, lanes, relay
from monolift.events.deliveries import Announced, Claimed
from monolift.events.streams.port import Refused
from monolift.kernel import Unavailable, clock
from monolift.kernel.ids import uuid7_text
from monolift.registry import topology as topology_module
from monolift.registry.settings import setting
from monolift.registry.sql import execute, fetch, now, vendor
from monolift.registry.topology import topology
from monolift.testing.scenario import Scenario
from tests.library.relaying import claim, moved, relay_all
from tests.library.running import eventually
from tests.library.world.sales.models import Mail
from tests.library.world.stock import faults
from tests.library.world.stock.events import Counted, Filled

pytestmark = pytest.mark.django_db(databases="__all__")


SEND = handover.send


@pytest.fixture(autouse=True)
def _no_handler_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is: what is slow is run apart."""
    monkeypatch.setattr(handling, "TURN", 60.0)
    monkeypatch.setattr(handling, "SLOW", 60.0)
    monkeypatch.setattr(handling, "_seconds", {})
    monkeypatch.setattr(handling, "_share", {})


def sales() -> str:
    return topology().alias("sales")


def mails() -> list[str]:
    return list(Mail.objects.order_by("pk").values_list("key", flat=True))


def fill(sku: str, *quantities: int) -> None:
    for quantity in quantities:
        with atomic(module="stock"):
            publish(Filled(sku=sku, quantity=quantity))


def count(total: int) -> None:
    with atomic(module="stock"):
        publish(Counted(total=total))


def states() -> dict[str, str]:
    """State by sku and quantity."""
    rows = fetch(sales(), "SELECT body, state FROM monolift_delivery WHERE module = 'sales'")
    return {body.removesuffix("}").rpartition(":")[2]: state for body, state in rows}


def past_the_lease() -> None:
    clock.travel(timedelta(seconds=setting("LEASE") + 1))


# One active ------------------------------------------------------------------------------------


def test_what_is_behind_waits_and_no_claim_sees_it(scenario: Scenario) -> None:
    for sku in ("a", "b"):
        fill(sku, 1, 2, 3)
    relay_all()
    claimed = claim()
    assert sorted(one.key or "" for one in claimed) == ["a", "b"]
    assert claim() == []
    handling.run(sales(), claimed)
    assert len(claim()) == 2


def test_the_table_refuses_a_second_active_one_of_a_lane(scenario: Scenario) -> None:
    fill("a", 1, 2)
    relay_all()
    with pytest.raises(IntegrityError), transaction.atomic(using=sales()):
        execute(sales(), "UPDATE monolift_delivery SET state = 'pending'")


def test_a_late_event_comes_behind_what_is_under_way(scenario: Scenario) -> None:
    """Its number is smaller, but the lane is taken: it is next, not beside."""
    fill("a", 5)
    relay_all()
    claimed = claim()
    early = Announced(
        "stock", uuid7_text(), "stock.filled.v1", "a", 1, '{"sku":"a","quantity":1}', ""
    )
    relay.insert(sales(), [early])
    assert claim() == []
    handling.run(sales(), claimed)
    scenario.run_until_idle()
    assert mails() == ["a:5", "a:1"]


# Commit and look -------------------------------------------------------------------------------


def test_who_relays_looks_again_after_the_commit(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before ended between the relay's statement and its commit, and looked too early."""
    fill("a", 1)
    relay_all()
    first = claim()
    fill("a", 2)
    look = relay.go_on

    def later(alias: str, lanes_seen: Any) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(deliveries, "go_on", lambda alias, lanes: None)
            handling.run(sales(), first)
        look(alias, lanes_seen)

    monkeypatch.setattr(relay, "go_on", later)
    relay_all()
    assert [one.key for one in claim()] == ["a"]


def test_a_lane_that_a_crash_left_is_found(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("a", 1, 2)
    fill("b", 3)
    relay_all()
    claimed = claim()
    with monkeypatch.context() as patched:  # killed between the commit and the look
        patched.setattr(deliveries, "go_on", lambda alias, lanes: None)
        handling.run(sales(), claimed)
    assert claim() == []
    assert lanes.sweep(sales(), modules=["sales"]) == 1
    assert lanes.sweep(sales(), modules=["sales"]) == 0
    scenario.run_until_idle()
    assert mails() == ["a:1", "b:3", "a:2"]


@pytest.mark.postgresql  # SQLite has one writer: it never comes to a deadlock
@pytest.mark.django_db(transaction=True, databases="__all__")
def test_who_looks_into_a_deadlock_looks_again() -> None:
    """Case F48: a relay and who ends deliveries look at the same lanes at once."""
    fill("a", 1, 2)
    relay_all()
    execute(sales(), "DELETE FROM monolift_delivery WHERE state = 'pending'")
    execute(sales(), "CREATE SEQUENCE tries")  # no rollback takes a number back
    execute(
        sales(),
        "CREATE FUNCTION once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF nextval('tries') = 1 THEN RAISE 'deadlock' USING ERRCODE = '40P01'; END IF; "
        "RETURN NEW; END $$",
    )
    execute(
        sales(),
        "CREATE TRIGGER once BEFORE UPDATE ON monolift_delivery "
        "FOR EACH ROW EXECUTE FUNCTION once()",
    )
    try:
        assert lanes.promote(sales(), [lanes.Lane("sales", "stock", "a", "")]) == 1
    finally:
        execute(sales(), "DROP TRIGGER once ON monolift_delivery")
        execute(sales(), "DROP FUNCTION once()")
        execute(sales(), "DROP SEQUENCE tries")


# Batches ---------------------------------------------------------------------------------------


def test_a_batch_that_killed_its_worker_is_run_one_by_one(scenario: Scenario) -> None:
    """Case A5: what kills workers takes nobody along a second time."""
    for quantity, sku in enumerate("abc"):
        fill(sku, quantity)
    relay_all()
    assert len(claim()) == 3, "and then the worker died"
    past_the_lease()
    fill("d", 9)
    relay_all()
    again = claim()
    assert [one.crashed for one in again] == [True, True, True, False]
    handling.run(sales(), again)
    assert mails() == ["d:9", "a:0"], "the fresh one first, then one that is suspected"
    left = claim()
    assert [(one.attempts, one.crashed) for one in left] == [(2, True), (2, True)]


def test_what_a_batch_does_not_get_to_is_given_back(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handling, "TURN", 0.0)
    for quantity, sku in enumerate("abc"):
        fill(sku, quantity)
    relay_all()
    handling.run(sales(), claim())
    assert mails() == ["a:0"]
    assert [one.attempts for one in claim()] == [1, 1]


def test_nothing_waits_for_a_slow_handler_twice(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handling, "_seconds", {"sales.note": 61.0})
    fill("a", 1)
    fill("b", 2)
    count(7)
    relay_all()
    handling.run(sales(), claim())
    assert mails() == ["7", "a:1"], "what is quick first, then one that is slow"
    assert len(claim()) == 1


def test_as_much_is_held_as_a_turn_is_enough_for(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    for quantity, sku in enumerate("abcdefgh"):
        fill(sku, quantity)
    relay_all()
    held: list[int] = []
    woken: list[str] = []

    def run(alias: str, batch: Sequence[Claimed]) -> None:
        held.append(len(batch))
        given_to(alias, batch)

    given_to = handling.run
    monkeypatch.setattr(handling, "run", run)
    monkeypatch.setattr(handling, "wake", woken.append)
    monkeypatch.setattr(handling, "TURN", 0.0)
    for _ in range(2):
        assert handling.run_due(sales(), modules=["sales"])
    assert held == [8, 1], "the rest is there for others"
    assert woken == [sales()] * 2, "who are told: of what was given back, and of what was left"
    monkeypatch.setattr(handling, "TURN", 60.0)
    while handling.run_due(sales(), modules=["sales"]):
        pass
    assert held == [8, 1, 2, 4]
    assert len(mails()) == 8


# Elsewhere -------------------------------------------------------------------------------------


class Elsewhere:
    """Another deployable that can be away, and that keeps each event once."""

    def __init__(self) -> None:
        self.away = False
        self.came: list[str] = []

    def send(self, deployable: str, events: Sequence[Announced]) -> None:
        assert deployable == "mars"
        if self.away:
            raise Unavailable("mars", "nobody answers")
        self.came += [event.body for event in events]


@pytest.fixture
def mars(monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    """Where sales lives now; stock stays."""
    there = Elsewhere()
    before = topology_module.topology()
    monkeypatch.setattr(handover, "send", there.send)
    topology_module.install(moved("sales", "mars"))
    yield there
    topology_module.install(replace(before, epoch=before.epoch + 2))


def test_a_target_that_is_away_delays_and_loses_nothing(
    mars: Elsewhere, scenario: Scenario
) -> None:
    mars.away = True
    fill("a", 1, 2)
    fill("b", 3)
    for _ in range(setting("ATTEMPTS") + 3):
        scenario.travel(minutes=5)
    assert mars.came == []
    assert scenario.failed_deliveries() == [], "nothing is wrong with the events"
    mars.away = False
    for _ in range(3):
        scenario.travel(minutes=5)
    bodies = [f'{{"sku":"a","quantity":{quantity}}}' for quantity in (1, 2)]
    assert [body for body in mars.came if '"a"' in body] == bodies
    assert len(mars.came) == 3


def test_what_the_other_side_may_have_forgotten_is_not_handed_over_again(
    mars: Elsewhere, scenario: Scenario
) -> None:
    mars.away = True
    fill("a", 1)
    scenario.run_until_idle()
    mars.away = False
    scenario.travel(days=setting("KEEP") + 1)
    assert mars.came == []
    (failure,) = scenario.failed_deliveries()
    assert "may have taken it" in failure
    assert "skip it or resubmit it" in failure


def test_a_deployable_without_an_address_is_named(
    mars: Elsewhere, monkeypatch: pytest.MonkeyPatch, scenario: Scenario
) -> None:
    monkeypatch.setattr(handover, "send", SEND)
    fill("a", 1)
    scenario.run_until_idle()
    alias = topology().alias("stock")
    (failure,) = fetch(alias, "SELECT failure FROM monolift_delivery WHERE target <> ''")[0]
    assert "mars" in failure
    assert "URLS" in failure


def test_what_the_other_side_refuses_fails_alone(
    mars: Elsewhere, monkeypatch: pytest.MonkeyPatch, scenario: Scenario
) -> None:
    def send(deployable: str, events: Sequence[Announced]) -> None:
        mars.send(deployable, [event for event in events if event.key != "b"])
        refused = {event.event: "too large" for event in events if event.key == "b"}
        if refused:
            raise Refused(refused)

    monkeypatch.setattr(handover, "send", send)
    fill("a", 1, 2)
    fill("b", 3)
    scenario.run_until_idle()
    assert len(mars.came) == 2
    (failure,) = scenario.failed_deliveries()
    assert "too large" in failure


# What fails ------------------------------------------------------------------------------------


def test_a_failed_one_holds_its_lane_and_costs_the_others_nothing(scenario: Scenario) -> None:
    """However many wait behind it, a claim looks at none of them."""

    def act() -> None:
        raise RuntimeError("broken")

    faults.planned["note"] = [act] * setting("ATTEMPTS")
    fill("a", *range(30))
    for _ in range(setting("ATTEMPTS") + 1):
        scenario.travel(minutes=5)
    assert set(states().values()) == {"failed", "waiting"}
    fill("b", 1)
    scenario.run_until_idle()
    assert mails() == ["b:1"]


def test_a_claim_finds_what_is_due_by_an_index(scenario: Scenario) -> None:
    """Timers of tomorrow, and what other modules have to do, are not read for it."""
    fill("a", 1)
    relay_all()
    postgresql = vendor(sales()) == "postgresql"
    due = deliveries._DUE.format(
        columns="event", target="target = ''", now=now(sales()), limit=9
    ).replace("m.module", "'sales'")
    with transaction.atomic(using=sales()):
        if postgresql:
            execute(sales(), "SET LOCAL enable_seqscan = off")
            execute(sales(), "SET LOCAL enable_bitmapscan = off")
        plan = " ".join(
            str(row[-1])
            for row in fetch(sales(), f"EXPLAIN {'' if postgresql else 'QUERY PLAN'} {due}")
        )
    assert "monolift_delivery_due" in plan
    assert "TEMP B-TREE" not in plan
    assert ("Index Cond" if postgresql else "due_at<?") in plan


def test_what_is_to_be_handed_over_is_found_by_an_index() -> None:
    alias = sales()
    with CaptureQueriesContext(connections[alias]) as captured:
        assert not deliveries.any_away(alias, modules=["sales", "stock"])
    with transaction.atomic(using=alias):
        if vendor(alias) == "postgresql":
            execute(alias, "SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN" if vendor(alias) == "postgresql" else "EXPLAIN QUERY PLAN"
        plan = " ".join(str(row[-1]) for row in fetch(alias, f"{explain} {captured[-1]['sql']}"))
    assert "monolift_delivery_away" in plan
    assert "monolift_delivery_failed" in plan


KNOWN = pytest.mark.parametrize("known", ["nothing", "when it was empty", "all"])
"""What the database knows of the table when it plans."""


def plans(captured: CaptureQueriesContext, alias: str) -> list[str]:
    """What is done for each statement of a work queue, with what it was told beforehand."""
    made = []
    for query in captured:
        before, _, statement = query["sql"].rpartition("; ")
        if before:
            with transaction.atomic(using=alias):
                fetch(alias, before)
                made.append(
                    " ".join(row[-1] for row in fetch(alias, f"EXPLAIN ANALYZE {statement}"))
                )
                transaction.set_rollback(True, using=alias)
    return made


def multiply(alias: str, *, anew: str, which: str, known: str) -> None:
    """3,000 more deliveries like some, told apart by the columns `anew`."""
    names = [name for (name,) in fetch(alias, _COLUMNS_OF_DELIVERIES)]
    values = ", ".join(f"d.{name} || n" if name in anew.split() else f"d.{name}" for name in names)
    execute(
        alias,
        f"INSERT INTO monolift_delivery ({', '.join(names)}) SELECT {values} FROM "
        f"monolift_delivery d, generate_series(1, 3000) n WHERE {which}",
    )
    if known == "all":
        execute(alias, "ANALYZE monolift_delivery")


@pytest.mark.postgresql  # SQLite finds it by its number
@KNOWN
def test_the_next_of_a_lane_is_found_by_an_index(scenario: Scenario, known: str) -> None:
    """Nothing else that waits is read, whatever the database knows of the table."""
    alias = sales()
    if known == "when it was empty":
        execute(alias, "ANALYZE monolift_delivery")
    fill("a", 1, 2)
    fill("b", 1, 2, 3)
    relay_all()
    execute(alias, "UPDATE monolift_delivery SET state = 'done' WHERE state = 'pending'")
    multiply(alias, anew="event", which="d.state = 'waiting' AND key = 'a'", known=known)
    with CaptureQueriesContext(connections[alias]) as captured:
        assert lanes.promote(alias, [lanes.Lane("sales", "stock", "b", "")]) == 1
    execute(alias, "UPDATE monolift_delivery SET state = 'done' WHERE state = 'pending'")
    (plan,) = plans(captured, alias)
    assert "monolift_delivery_behind" in plan
    assert "Removed by Filter" not in plan


@pytest.mark.postgresql
@KNOWN
def test_what_is_claimed_and_ended_is_found_by_an_index(scenario: Scenario, known: str) -> None:
    """Nothing else is read for it, due or not, whatever the database knows of the table."""
    alias = sales()
    if known == "when it was empty":
        execute(alias, "ANALYZE monolift_delivery")
    fill("a", 1)
    relay_all()
    multiply(alias, anew="event key", which="true", known=known)
    with CaptureQueriesContext(connections[alias]) as captured:
        batch = deliveries.claim(alias, modules=["sales"])
        deliveries.give_back(alias, batch[:3])
        deliveries.take_off(alias, batch[:3])
        deliveries.done(alias, batch[3:])
    found = plans(captured, alias)
    assert len(found) == 5
    for plan in found:
        removed = re.findall(r"Rows Removed by (?:Join )?Filter: (\d+)", plan)
        assert all(int(number) <= len(batch) for number in removed), plan


@pytest.mark.postgresql  # SQLite has one writer
@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize(
    ("change", "becomes"),
    [("token = 'of another'", "pending"), ("attempts = attempts - 1", "done")],
    ids=["it is taken over", "it stays ours"],
)
def test_what_is_changed_at_the_same_moment_is_ended_by_who_holds_it(
    scenario: Scenario, change: str, becomes: str
) -> None:
    """Who ends it waits for the row, and finds it changed."""
    alias = sales()
    fill("a", 1)
    relay_all()
    batch = deliveries.claim(alias, modules=["sales"])
    changed = threading.Event()

    def change_it() -> None:
        with transaction.atomic(using=alias):
            execute(alias, f"UPDATE monolift_delivery SET {change}")
            changed.set()
            waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
            eventually(lambda: fetch(alias, waits), what="somebody waits for the row")
        connections.close_all()

    another = threading.Thread(target=change_it)
    another.start()
    assert changed.wait(10)
    deliveries.done(alias, batch)
    another.join()
    assert fetch(alias, "SELECT state FROM monolift_delivery") == [(becomes,)]


_COLUMNS_OF_DELIVERIES = (
    "SELECT column_name FROM information_schema.columns WHERE table_name = 'monolift_delivery'"
)
