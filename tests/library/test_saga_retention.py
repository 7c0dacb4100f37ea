"""Sagas go a while after their end; what has not ended stays, and so does what it may need."""

from datetime import timedelta

import pytest

from monolift import SagaStatus, atomic, publish
from monolift.events import upkeep, worker
from monolift.kernel import clock
from monolift.registry.settings import setting
from monolift.registry.sql import fetch
from monolift.sagas import retention
from monolift.sagas.retention import Purged
from monolift.testing.scenario import Scenario
from tests.library.world.sales.events import Shipped
from tests.library.world.sales.sagas import Local, Selling, Shipping
from tests.library.world.stock import faults
from tests.library.world.stock.interface import Stock

pytestmark = pytest.mark.django_db(databases="__all__")

WEEK = timedelta(days=7)


def purge() -> Purged:
    gone = [retention.purge(alias, older_than=WEEK) for alias in worker.aliases()]
    return Purged(*(sum(counts) for counts in zip(*gone, strict=True)))


def kept() -> set[str]:
    return {
        name
        for alias in worker.aliases()
        for (name,) in fetch(alias, "SELECT saga FROM monolift_arrival")
    }


def refuse_for_good() -> None:
    raise RuntimeError("broken")


def test_what_ended_goes_after_its_time(stock: Stock, scenario: Scenario) -> None:
    Local.run(key="done")
    Selling.run(key="undone", card="declined")
    clock.travel(WEEK - timedelta(minutes=1))
    assert purge() == Purged(0, 0)
    clock.travel(timedelta(minutes=2))
    Local.run(key="young")
    assert purge() == Purged(2, 0)
    assert Local.find(key="done") is None
    assert Local.find(key="young") is not None


def test_what_has_not_ended_stays(stock: Stock, scenario: Scenario) -> None:
    waiting = Shipping.run(key="waiting", sale="s1")
    faults.planned["close"] = [refuse_for_good] * 100
    Local.run(key="stuck")
    stuck = scenario.settle(Local, key="stuck")
    assert (waiting.status, stuck.status) == (SagaStatus.WAITING, SagaStatus.STUCK)
    clock.travel(WEEK * 50)
    purge()
    assert Shipping.find(key="waiting") is not None
    assert Local.find(key="stuck") is not None


@pytest.mark.parametrize("early", [True, False], ids=["saga not begun", "an old saga waits"])
def test_an_event_is_kept_while_an_old_saga_may_take_it(
    stock: Stock, scenario: Scenario, early: bool
) -> None:
    if not early:
        Shipping.run(key="old", sale="s1")
    with atomic(module="sales"):
        publish(Shipped(sale="s1" if early else "s2", parcel="p"))
    scenario.run_until_idle()
    clock.travel(WEEK + timedelta(minutes=1))
    # One event for each saga that awaits its kind; only Shipping has one that is old and open.
    assert "sales.shipping" in kept()
    purge()
    assert kept() == (set() if early else {"sales.shipping"})


def test_workers_do_it(stock: Stock, scenario: Scenario) -> None:
    Local.run(key="1")
    clock.travel(timedelta(days=setting("KEEP_SAGAS"), minutes=1))
    for alias in worker.aliases():
        upkeep.purge(alias)
    assert Local.find(key="1") is None
