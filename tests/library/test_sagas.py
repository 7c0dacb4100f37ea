"""Sagas: forward, backward, waiting, stuck, and who may do what."""

from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from monolift import SagaStatus, atomic, publish, use
from monolift.events import worker
from monolift.kernel import CallInsideTransaction, Unavailable
from monolift.observe import matrix
from monolift.registry.sql import execute, fetch, vendor
from monolift.registry.topology import topology
from monolift.sagas import operate
from monolift.sagas.record import Progress, Record
from monolift.testing.scenario import Scenario
from monolift.testing.statements import statements
from tests.library.failing import break_the_commit
from tests.library.running import eventually
from tests.library.world.cards.services import network
from tests.library.world.sales.events import Dropped, Shipped
from tests.library.world.sales.models import Mail, Sale
from tests.library.world.sales.sagas import (
    Backorder,
    Counter,
    Local,
    Parcel,
    Selling,
    Shipping,
)
from tests.library.world.stock import faults
from tests.library.world.stock.interface import Level, SoldOut, Stock

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(params=["fused", "unfused"])
def fusion(request: pytest.FixtureRequest, settings: Settings) -> str:
    settings.MONOLIFT = {**settings.MONOLIFT, "FUSION": request.param == "fused"}
    return str(request.param)


def alias() -> str:
    return topology().alias("sales")


def fail(error: Exception, times: int = 1) -> list[object]:
    def act() -> None:
        raise error

    return [act] * times


def stored(identifier: object) -> Progress:
    record = Record.get(alias(), str(identifier))
    assert record is not None
    return record.progress


def until_silent(identifier: object) -> None:
    """Run what is due until the saga has not been answered once."""
    eventually(lambda: worker.work_once(alias()) and stored(identifier).silent)


def test_a_saga_runs_to_its_end(stock: Stock, scenario: Scenario, fusion: str) -> None:
    run = Selling.run(key="1")
    assert run.status is SagaStatus.DONE, run.failure
    assert stock.levels(skus=["a", "b"]) == {
        "a": Level(left=9, held=1),
        "b": Level(left=8, held=2),
    }
    assert Sale.objects.get().state == "closed"
    assert network().states() == ["captured"]
    scenario.run_until_idle()
    assert Mail.objects.filter(about="sold").count() == 1


@pytest.mark.django_db(databases="__all__", transaction=True)
@pytest.mark.parametrize("saga", [Counter, Parcel])
def test_an_answer_that_was_not_committed_is_none(
    saga: type[Counter | Parcel], scenario: Scenario, fusion: str
) -> None:
    """It goes on here until the answer is, and nobody has to wait for a lease after it."""
    use(Stock).fill(sku="a")
    faults.planned["write_down"] = [break_the_commit]
    run = saga.run(key="1") if saga is Counter else saga.run(key="1", sale="1")
    assert run.answered
    assert faults.planned["write_down"] == []
    assert fetch(alias(), "SELECT lease_until, attempts FROM monolift_saga") == [(None, 0)]


def test_the_same_key_runs_once(stock: Stock, fusion: str) -> None:
    first = Selling.run(key="1")
    again = Selling.run(key="1")
    assert again.id == first.id
    assert network().states() == ["captured"]
    assert Selling.find(key="1") == again
    assert Selling.find(key="2") is None


def test_a_started_saga_runs_after_the_commit(stock: Stock, scenario: Scenario) -> None:
    with atomic(module="sales"):
        assert Local.start(key="1").status is SagaStatus.RUNNING
    assert not Sale.objects.exists()
    assert scenario.settle(Local, key="1").status is SagaStatus.DONE
    assert Sale.objects.get().state == "closed"


def test_a_refusal_undoes_what_was_done(stock: Stock, scenario: Scenario, fusion: str) -> None:
    run = Selling.run(key="1", card="declined")
    assert run.status is SagaStatus.UNDONE
    assert run.error is not None
    assert run.error.fields == {"card": "declined"}
    assert stock.levels(skus=["a", "b"]) == {
        "a": Level(left=10, held=0),
        "b": Level(left=10, held=0),
    }
    assert not Sale.objects.exists()


def test_a_refusal_in_the_first_step_stores_the_saga_as_undone(stock: Stock, fusion: str) -> None:
    run = Selling.run(key="1", sku="none")
    assert run.status is SagaStatus.UNDONE, run.failure


def test_a_lost_answer_is_repeated_under_the_same_key(
    stock: Stock, scenario: Scenario, fusion: str
) -> None:
    faults.planned["cards.authorise.after"] = fail(TimeoutError("answer lost"), 2)
    Selling.run(key="1")
    run = scenario.settle(Selling, key="1")
    assert run.status is SagaStatus.DONE
    assert network().states() == ["captured"]


def test_a_step_that_never_works_is_undone(stock: Stock, scenario: Scenario, fusion: str) -> None:
    faults.planned["write_down"] = fail(RuntimeError("bug"), 99)
    Selling.run(key="1")
    run = scenario.settle(Selling, key="1")
    assert run.status is SagaStatus.UNDONE
    assert "bug" in run.failure
    assert network().states() == ["voided"]
    assert stock.levels(skus=["a"])["a"] == Level(left=10, held=0)


def test_an_effect_without_an_answer_is_settled_before_it_is_undone(
    stock: Stock, scenario: Scenario, fusion: str
) -> None:
    faults.planned["cards.authorise.after"] = fail(TimeoutError("answer lost"), 5)
    Selling.run(key="1")
    run = scenario.settle(Selling, key="1")
    assert run.status is SagaStatus.UNDONE
    assert network().states() == ["voided"]


def test_an_effect_that_never_began_can_never_begin_later(
    stock: Stock, scenario: Scenario, fusion: str
) -> None:
    faults.planned["authorise"] = fail(TimeoutError("not even called"), 5)
    Selling.run(key="1")
    run = scenario.settle(Selling, key="1")
    assert run.status is SagaStatus.UNDONE
    assert network().states() == []


def test_after_the_pivot_there_is_only_forward(
    stock: Stock, scenario: Scenario, fusion: str
) -> None:
    faults.planned["close"] = fail(RuntimeError("bug"), 99)
    Selling.run(key="1")
    run = scenario.settle(Selling, key="1")
    assert run.status is SagaStatus.STUCK
    assert network().states() == ["captured"]
    faults.planned.clear()
    operate.retry(alias(), str(run.id))
    assert scenario.settle(Selling, key="1").status is SagaStatus.DONE


def test_after_the_pivot_nothing_is_given_up_because_somebody_is_away(
    stock: Stock, scenario: Scenario, fusion: str
) -> None:
    faults.planned["hold_second"] = fail(Unavailable("stock.hold", "connection refused"), 20)
    Local.start(key="1")
    run = scenario.settle(Local, key="1")
    assert run.status is SagaStatus.DONE, run.failure
    assert stock.levels(skus=["b"])["b"] == Level(left=8, held=2)
    waited = [line.note for line in stored(run.id).history if line.what == "not answered"]
    assert [note.partition(":")[0] for note in waited] == [
        "time 1", "time 2", "time 4", "time 8", "time 16",
    ]  # fmt: skip


def test_silence_is_no_attempt(stock: Stock, scenario: Scenario, fusion: str) -> None:
    """What fails when the callee is back is tried as often as if it had never been away."""
    away = Unavailable("stock.hold", "connection refused")
    faults.planned["hold_second"] = [*fail(away, 20), *fail(RuntimeError("bug"), 4)]
    Local.start(key="1")
    assert scenario.settle(Local, key="1").status is SagaStatus.DONE


@pytest.mark.parametrize(
    ("verb", "ends", "held"),
    [("skip", "done", 0), ("abandon", "abandoned", 0), ("retry", "done", 2)],
)
def test_an_operator_need_not_wait_for_an_answer(
    stock: Stock, scenario: Scenario, verb: str, ends: str, held: int
) -> None:
    faults.planned["hold_second"] = fail(Unavailable("stock.hold", "connection refused"), 3)
    started = Local.start(key="1")
    until_silent(started.id)
    faults.planned.clear()
    getattr(operate, verb)(alias(), str(started.id))
    assert scenario.settle(Local, key="1").status == ends
    assert stock.levels(skus=["b"])["b"].held == held


@pytest.mark.parametrize(("verb", "ends"), [("skip", "undone"), ("retry", "undone")])
def test_an_operator_need_not_wait_for_an_undo(
    stock: Stock, scenario: Scenario, verb: str, ends: str
) -> None:
    away = Unavailable("stock.give_back", "connection refused")
    faults.planned["give_back_second"] = fail(away, 99)
    started = Selling.start(key="1", card="declined")
    until_silent(started.id)
    faults.planned.clear()
    getattr(operate, verb)(alias(), str(started.id))
    assert scenario.settle(Selling, key="1").status == ends
    held = {name: level.held for name, level in stock.levels(skus=["a", "b"]).items()}
    assert held == {"a": 0, "b": 2 if verb == "skip" else 0}


def test_an_undo_waits_for_who_is_away(stock: Stock, scenario: Scenario, fusion: str) -> None:
    away = Unavailable("stock.give_back", "connection refused")
    faults.planned["give_back_second"] = fail(away, 20)
    Selling.start(key="1", card="declined")
    run = scenario.settle(Selling, key="1")
    assert run.status is SagaStatus.UNDONE, run.failure
    assert stock.levels(skus=["b"])["b"] == Level(left=10, held=0)


def test_an_undo_that_asks_nobody_waits_for_no_answer(
    stock: Stock, scenario: Scenario, fusion: str
) -> None:
    """What it raises is its own doing; an operator finds it as an undo that failed."""
    faults.planned["cross_out"] = fail(Unavailable("sales.cross_out", "for no reason"), 99)
    faults.planned["capture"] = fail(SoldOut(sku="a", left=0))
    run = Selling.start(key="1")
    assert scenario.settle(Selling, key="1").status is SagaStatus.STUCK
    assert not stored(run.id).silent
    assert stored(run.id).marks["write_down"] == "undo failed"
    faults.planned.clear()
    operate.retry(alias(), str(run.id))
    assert scenario.settle(Selling, key="1").status is SagaStatus.UNDONE


def test_a_refusal_after_the_pivot_in_the_same_group_is_stuck(
    stock: Stock, scenario: Scenario, fusion: str
) -> None:
    stock.hold(sku="b", quantity=9)
    Local.run(key="1")
    run = scenario.settle(Local, key="1")
    assert run.status is SagaStatus.STUCK
    assert Sale.objects.get().state == "decided"
    stock.fill(sku="b")
    operate.retry(alias(), str(run.id))
    assert scenario.settle(Local, key="1").status is SagaStatus.DONE


@pytest.mark.parametrize(("verb", "ends"), [("skip", "done"), ("abandon", "abandoned")])
def test_an_operator_can_go_on_or_give_up(
    stock: Stock, scenario: Scenario, verb: str, ends: str
) -> None:
    faults.planned["hold_second"] = fail(RuntimeError("bug"), 99)
    run = Local.run(key="1")
    run = scenario.settle(Local, key="1")
    assert run.status is SagaStatus.STUCK
    getattr(operate, verb)(alias(), str(run.id))
    assert scenario.settle(Local, key="1").status == ends
    with pytest.raises(operate.NotStuck):
        operate.retry(alias(), str(run.id))


def test_an_undo_that_fails_does_not_stop_the_others(
    stock: Stock, scenario: Scenario, fusion: str
) -> None:
    faults.planned["give_back_second"] = fail(RuntimeError("bug"), 5)
    Selling.run(key="1", card="declined")
    run = scenario.settle(Selling, key="1")
    assert run.status is SagaStatus.STUCK
    assert stock.levels(skus=["a", "b"]) == {
        "a": Level(left=10, held=0),
        "b": Level(left=8, held=2),
    }
    operate.retry(alias(), str(run.id))
    assert scenario.settle(Selling, key="1").status is SagaStatus.UNDONE
    assert stock.levels(skus=["b"])["b"] == Level(left=10, held=0)


def test_a_swallowed_refusal_leaves_no_half_done_work(stock: Stock, fusion: str) -> None:
    run = Backorder.run(key="1")
    assert run.status is SagaStatus.DONE, run.failure
    assert run.state.backordered
    assert Sale.objects.get().state == "backordered"
    assert stock.levels(skus=["a"])["a"] == Level(left=10, held=0)


def test_an_awaited_event_finishes_the_saga(stock: Stock, scenario: Scenario) -> None:
    run = Shipping.run(key="1", sale="s1")
    assert run.status is SagaStatus.WAITING
    with atomic(module="sales"):
        publish(Shipped(sale="other", parcel="p0"))
        publish(Shipped(sale="s1", parcel="p1"))
    assert scenario.settle(Shipping, key="1").state.parcel == "p1"


def test_an_event_that_comes_before_its_step_is_kept(stock: Stock, scenario: Scenario) -> None:
    with atomic(module="sales"):
        publish(Shipped(sale="s1", parcel="p1"))
    scenario.run_until_idle()
    run = Shipping.run(key="1", sale="s1")
    assert run.status is SagaStatus.DONE
    assert run.state.parcel == "p1"


def test_an_event_that_does_not_come_in_time_turns_the_saga_back(
    stock: Stock, scenario: Scenario
) -> None:
    Shipping.run(key="1", sale="s1")
    scenario.travel(minutes=29)
    assert Shipping.find(key="1").status is SagaStatus.WAITING
    run = scenario.settle(Shipping, key="1", within=timedelta(minutes=5))
    assert run.status is SagaStatus.UNDONE
    assert Sale.objects.get().state == "dropped"


def test_run_returns_with_the_answer_and_a_worker_does_the_rest(
    stock: Stock, scenario: Scenario, fusion: str
) -> None:
    run = Parcel.run(key="1", sale="s1")
    assert (run.status, run.answered) == (SagaStatus.RUNNING, True)
    assert run.state.held is None
    twin = Parcel.run(key="1", sale="s1")
    assert (twin.status, twin.answered, twin.state.held) == (SagaStatus.RUNNING, True, None)
    scenario.run_until_idle()
    run = Parcel.find(key="1")  # type: ignore[assignment]  # it is there
    assert (run.status, run.state.held is not None) == (SagaStatus.WAITING, True)


def test_a_failed_attempt_before_the_answer_is_not_an_answer(
    stock: Stock, scenario: Scenario, fusion: str
) -> None:
    faults.planned["write_down"] = fail(OSError("disk"))
    run = Parcel.run(key="1", sale="s1", timeout=0.0001)
    assert not run.answered
    assert scenario.settle(Parcel, key="1").answered


@pytest.mark.parametrize(
    ("event", "parcel"),
    [(Shipped(sale="s1", parcel="p1"), "p1"), (Dropped(sale="s1"), "none")],
    ids=["shipped", "dropped"],
)
def test_the_first_of_two_awaited_events_goes_on(
    stock: Stock, scenario: Scenario, event: Shipped | Dropped, parcel: str
) -> None:
    Parcel.run(key="1", sale="s1")
    with atomic(module="sales"):
        publish(event)
    assert scenario.settle(Parcel, key="1").state.parcel == parcel


def test_a_fused_saga_is_one_insert_and_one_update(stock: Stock) -> None:
    together = topology().alias("stock") == alias()
    with statements() as seen:
        Local.run(key="1")
    ours = [sql.split(maxsplit=1)[0] for sql in seen if " monolift_saga " in sql]
    keys = [sql for sql in seen if " monolift_key " in sql]
    if together:
        assert ours == ["INSERT", "UPDATE"], "\n".join(seen)
        assert keys == []
    else:  # a database each: nothing can be fused with stock, and its commands need their keys
        assert ours == ["INSERT", "UPDATE", "UPDATE"], "\n".join(seen)
        assert len(keys) == 4


def test_run_is_refused_inside_a_transaction(stock: Stock) -> None:
    with atomic(module="sales"), pytest.raises(CallInsideTransaction):
        Local.run(key="1")


def test_the_call_matrix_counts_calls_of_steps(stock: Stock, scenario: Scenario) -> None:
    Local.run(key="1")
    counted = {entry.operation: entry.calls for entry in matrix.matrix() if entry.caller == "sales"}
    assert counted == {"stock.hold": 2}


def test_the_domain_error_is_the_callers_to_read(stock: Stock, fusion: str) -> None:
    stock.hold(sku="a", quantity=10)
    run = Selling.run(key="1")
    assert isinstance(run.error, SoldOut)
    assert run.error.left == 0


@pytest.mark.parametrize("known", ["nothing", "that it is empty"])
def test_looking_for_work_reads_none_that_waits_for_later(known: str) -> None:
    if known == "that it is empty" and vendor(alias()) == "postgresql":
        for number in range(200):
            Selling.start(key=str(number))
        execute(alias(), "DELETE FROM monolift_saga")
        execute(alias(), "ANALYZE monolift_saga")
    with CaptureQueriesContext(connections[alias()]) as captured:
        assert Record.claim(alias()) is None
    explain = "EXPLAIN" if vendor(alias()) == "postgresql" else "EXPLAIN QUERY PLAN"
    with transaction.atomic(using=alias()):
        if vendor(alias()) == "postgresql":
            execute(alias(), "SET LOCAL enable_seqscan = off")
            execute(alias(), "SET LOCAL enable_bitmapscan = off")
        plans = [
            " ".join(str(row[-1]) for row in fetch(alias(), f"{explain} {query['sql']}"))
            for query in captured
        ]
    due, arrived = plans
    assert "monolift_saga_due" in due
    assert "monolift_saga_waits" in arrived
