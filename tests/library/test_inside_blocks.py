"""`deadline()` and `acting_for()` change what they say, and nothing else of what surrounds them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from monolift import SagaStatus, acting_for, atomic, deadline, use
from monolift.gateway.requests import RequestScopeMiddleware
from monolift.kernel import CallFailed, CallInsideTransaction
from monolift.testing.scenario import Scenario
from tests.library.world.sales import sagas
from tests.library.world.sales.sagas import Selling
from tests.library.world.stock import faults
from tests.library.world.stock.interface import Stock
from tests.library.world.stock.models import Hold, Item

pytestmark = pytest.mark.django_db(databases="__all__")

type Block = Callable[[], AbstractContextManager[None]]

BLOCKS: dict[str, Block] = {
    "deadline": lambda: deadline(seconds=60),
    "acting for": lambda: acting_for(None),
}


@pytest.fixture(params=BLOCKS)
def block(request: pytest.FixtureRequest) -> Block:
    """What surrounds a call."""
    return BLOCKS[request.param]


class Within:
    """A module that is called within a block, each time."""

    def __init__(self, real: Any, block: Block) -> None:
        self._real = real
        self._block = block

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            with self._block():
                return getattr(self._real, name)(**arguments)

        return call


def test_a_request_that_is_repeated_has_one_effect(stock: Stock, block: Block) -> None:
    def view(_: HttpRequest) -> HttpResponse:
        with block():
            use(Stock).hold(sku="a", quantity=1)
        return HttpResponse("held")

    shop = RequestScopeMiddleware(view)
    for _ in range(2):
        shop(RequestFactory().post("/hold", headers={"Idempotency-Key": "once"}))
    assert Hold.objects.filter(sku="a").count() == 1


def test_a_step_that_is_repeated_has_one_effect(
    stock: Stock,
    scenario: Scenario,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    block: Block,
) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "FUSION": False}
    monkeypatch.setattr(sagas, "stock", Within(sagas.stock, block))

    def fail() -> None:
        raise RuntimeError("after its call")

    faults.planned["hold_first.after"] = [fail]
    Selling.run(key="1")
    scenario.run_until_idle()
    run = Selling.find(key="1")
    assert run is not None
    assert run.status is SagaStatus.DONE
    assert Hold.objects.filter(sku="a").count() == 1


def test_a_call_inside_a_transaction_is_refused(stock: Stock, block: Block) -> None:
    with atomic(module="stock"), pytest.raises(CallInsideTransaction), block():
        stock.levels(skus=["a"])


@pytest.mark.parametrize("block", BLOCKS)
def test_a_command_that_fails_afterwards_is_taken_back(stock: Stock, block: str) -> None:
    with pytest.raises((ValueError, CallFailed)):
        stock.misbehave(how=f"raise after {block}")
    assert not Item.objects.filter(sku="ghost").exists()


def test_what_was_before_is_there_again(block: Block) -> None:
    from monolift.registry.scope import current

    scope = current()
    before = scope.deadline, scope.acts_for
    with pytest.raises(KeyError), block():
        assert (scope.deadline, scope.acts_for) != before
        assert current() is scope
        raise KeyError
    assert (scope.deadline, scope.acts_for) == before
