"""Workers of their own for a busy module: three for search, one for the rest, by a setting."""

import threading
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from monolift import atomic, publish
from monolift.events import worker
from monolift.events.pools import Pool, pools
from monolift.events.worker import Worker
from monolift.registry.modules import modules
from monolift.testing.scenario import Scenario
from tests.library.relaying import claim, relay_all
from tests.library.running import eventually
from tests.library.world.sales.models import Mail
from tests.library.world.stock.events import Filled

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def pooled(settings: Settings) -> None:
    """Three for sales, one for the rest."""
    settings.MONOLIFT = {**settings.MONOLIFT, "WORKERS": {"sales": 3}, "WORKER_THREADS": 1}


def look(pool: Pool) -> None:
    """What a worker of a pool does, until it finds nothing any more."""
    work = worker._run_only if pool.modules == ("sales",) else worker.work_once
    while [alias for alias in worker.aliases() if work(alias, pool)]:
        pass


def fill(quantity: int) -> None:
    with atomic(module="stock"):
        publish(Filled(sku=f"sku-{quantity}", quantity=quantity))


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.usefixtures("pooled")
def test_three_for_one_module_and_one_for_the_rest() -> None:
    rest, own = pools()
    assert own == Pool(("sales",), 3)
    assert rest == Pool(tuple(sorted(set(modules()) - {"sales"})), 1)
    running = Worker()
    running.start()
    try:
        names = {one.name for one in threading.enumerate() if "monolift-worker" in one.name}
        fill(1)
        eventually(Mail.objects.exists, what="the event is handled")
    finally:
        assert running.stop()
    assert names == {"monolift-worker-0", *(f"monolift-worker-sales-{n}" for n in range(3))}


@pytest.mark.usefixtures("pooled")
def test_the_rest_leaves_the_work_of_a_pool_alone(scenario: Scenario) -> None:
    """However much there is for the module, the rest's worker is free for the others."""
    rest, own = pools()
    fill(1)
    look(rest)
    assert not Mail.objects.exists(), "relayed, and left for the pool"
    look(own)
    assert list(Mail.objects.values_list("key", flat=True)) == ["sku-1:1"]


def test_a_flood_for_one_module_keeps_no_claim_from_another(scenario: Scenario) -> None:
    """Also without pools each module has its share of a batch."""
    for quantity in range(5):
        fill(quantity)
    relay_all()
    assert len(claim(share=2)) == 2
    assert len(claim()) == 3


@pytest.mark.parametrize(
    ("workers", "told"),
    [
        ({"serch": 3}, "names 'serch', which is not installed. Installed: .*sales"),
        ({"sales": 0}, "a number from 1 to 64"),
        ({"sales": True}, "a number from 1 to 64"),
        (["sales"], "give modules with a number"),
    ],
)
def test_a_wrong_setting_is_named(settings: Settings, workers: Any, told: str) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "WORKERS": workers}
    with pytest.raises(ImproperlyConfigured, match=told):
        pools()


def test_without_the_setting_all_share() -> None:
    (rest,) = pools()
    assert set(rest.modules) == set(modules())
