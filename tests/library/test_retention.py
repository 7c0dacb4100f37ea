"""What is done goes after its time; what is not done stays, however old."""

from datetime import timedelta

import pytest

from monolift import atomic, publish
from monolift.events import deliveries, retention, worker
from monolift.events.retention import Purged
from monolift.kernel import clock
from monolift.registry.settings import setting
from monolift.registry.sql import execute, fetch, now
from monolift.registry.topology import topology
from monolift.testing.scenario import Scenario
from tests.library.relaying import relay_all
from tests.library.world.sales.models import Mail
from tests.library.world.stock import faults
from tests.library.world.stock.events import Filled

pytestmark = pytest.mark.django_db(databases="__all__")

WEEK = timedelta(days=7)


@pytest.fixture(params=[1000, 2])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows a transaction: all at once, or two by two."""
    monkeypatch.setattr(retention, "CHUNK", request.param)


def fill(sku: str, *quantities: int) -> None:
    for quantity in quantities:
        with atomic(module="stock"):
            publish(Filled(sku=sku, quantity=quantity))


def purge() -> Purged:
    gone = [
        retention.purge(alias, older_than=WEEK, keys_older_than=WEEK) for alias in worker.aliases()
    ]
    return Purged(*(sum(counts) for counts in zip(*gone, strict=True)))


def rows(table: str) -> int:
    return sum(fetch(alias, f"SELECT COUNT(*) FROM {table}")[0][0] for alias in worker.aliases())


@pytest.mark.usefixtures("chunk")
def test_what_is_done_goes_after_its_time(scenario: Scenario) -> None:
    fill("a", 1, 2, 3)
    fill("b", 4, 5)
    scenario.run_until_idle()
    clock.travel(WEEK - timedelta(minutes=1))
    assert purge() == Purged(0, 0, 0)
    clock.travel(timedelta(minutes=2))
    gone = purge()
    assert gone.events == 5
    assert gone.deliveries >= 5
    assert rows("monolift_outbox") == rows("monolift_delivery") == 0


@pytest.mark.usefixtures("chunk")
def test_what_is_not_done_stays(scenario: Scenario) -> None:
    """Case A12: failed, behind it, due, and not even relayed."""

    def act() -> None:
        raise RuntimeError("broken")

    faults.planned["note"] = [act] * setting("ATTEMPTS")
    fill("a", 1, 2)
    for _ in range(setting("ATTEMPTS") + 1):
        scenario.travel(minutes=5)
    fill("b", 3)
    relay_all()
    fill("c", 4)
    clock.travel(WEEK * 5)
    purge()
    states = [
        state
        for (state,) in fetch(
            topology().alias("sales"),
            "SELECT state FROM monolift_delivery WHERE target = '' ORDER BY number",
        )
    ]
    assert states == ["failed", "waiting", "pending"]
    alias = topology().alias("stock")
    assert fetch(alias, "SELECT COUNT(*) FROM monolift_outbox WHERE relayed_at IS NULL") == [(1,)]
    alias = topology().alias("sales")
    (event,) = fetch(alias, "SELECT event FROM monolift_delivery WHERE state = 'failed'")[0]
    assert deliveries.resubmit(alias, module="sales", event=event, subscriber="sales.note")
    scenario.run_until_idle()
    assert sorted(Mail.objects.values_list("key", flat=True)) == ["a:1", "a:2", "b:3", "c:4"]


def test_keys_go_with_their_answers(scenario: Scenario) -> None:
    """All but those of an effect that is under way outside."""
    alias = topology().alias("stock")
    for key, state in (("old", "done"), ("under way", "started"), ("never", "never")):
        execute(
            alias,
            "INSERT INTO monolift_key (module, key, operation, fingerprint, state, answer, error, "
            f"lease_until, created_at) VALUES ('stock', %s, '', '', %s, '', '', {now(alias)}, "
            f"{now(alias)})",
            (key, state),
        )
    assert purge().keys == 0
    clock.travel(WEEK + timedelta(minutes=1))
    assert purge().keys == 2
    assert fetch(alias, "SELECT key FROM monolift_key") == [("under way",)]
