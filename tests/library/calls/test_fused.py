"""A module that moves while a fused group runs: what the group does is done once, wherever."""

from contextlib import ExitStack

import pytest
from pytest_django import Settings

from monolift import SagaStatus, use
from monolift.testing.scenario import Scenario
from tests.library.calls.warehouse import KEYS, reached
from tests.library.deployed import Deployed
from tests.library.world.sales.sagas import Local
from tests.library.world.stock import faults
from tests.library.world.stock.interface import Stock

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.mark.parametrize("place", ["hold_first", "hold_second"])
def test_a_group_whose_module_leaves_has_its_effect_once(
    warehouse: Deployed, settings: Settings, scenario: Scenario, place: str
) -> None:
    """Its step is called elsewhere, a later one fails, and the group is rolled back."""
    settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": KEYS}
    stock = use(Stock)
    stock.fill(sku="a", quantity=10)
    stock.fill(sku="b", quantity=10)
    with ExitStack() as away:
        with reached(warehouse.port):
            stock.fill(sku="a", quantity=10)
            stock.fill(sku="b", quantity=10)
            before = stock.levels(skus=["a", "b"])

        def leave() -> None:
            away.enter_context(reached(warehouse.port))

        def fail() -> None:
            raise RuntimeError("a later step fails, once")

        faults.planned[place] = [leave]
        faults.planned["write_down" if place == "hold_first" else "close"] = [fail]
        Local.run(key=f"leaves at {place}")
        scenario.run_until_idle()
        run = Local.find(key=f"leaves at {place}")
        assert run is not None
        assert run.status is SagaStatus.DONE
        there = stock.levels(skus=["a", "b"])
    here = stock.levels(skus=["a", "b"])
    held = {name: there[name].held - before[name].held + here[name].held for name in ("a", "b")}
    assert held == {"a": 1, "b": 2}
