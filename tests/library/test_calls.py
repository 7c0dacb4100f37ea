"""Calls: what holds in every transport."""

import contextvars
import threading

import pytest
from django.db import connections, transaction

from monolift import atomic, deadline, override, use
from monolift.kernel import CallFailed, CallInsideTransaction, Unavailable
from monolift.registry.scope import current
from monolift.registry.transactions import seen
from tests.library.world.stock.interface import Level, SoldOut, Stock
from tests.library.world.stock.models import Item

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", "loopback"),
]


def test_a_call_gives_the_declared_answer(stock: Stock) -> None:
    assert stock.hold(sku="a", quantity=3) > 0
    assert stock.levels(skus=["a"]) == {"a": Level(left=7, held=3)}


def test_a_declared_error_crosses_as_itself(stock: Stock) -> None:
    with pytest.raises(SoldOut) as caught:
        stock.hold(sku="a", quantity=11)
    assert caught.value.fields == {"sku": "a", "left": 10}
    assert str(caught.value) == "Only 10 of a are left."


def test_a_refused_command_leaves_nothing(stock: Stock) -> None:
    with pytest.raises(SoldOut):
        stock.hold(sku="a", quantity=11)
    assert stock.levels(skus=["a"]) == {"a": Level(left=10, held=0)}


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise after commit block", "ValueError: after the block"),
        ("two transactions", "SecondTransaction"),
        ("undeclared", "it raised SoldOut, which its raises= does not declare"),
        ("call inside", "CallInsideTransaction"),
        ("call after", "CallInsideTransaction"),
        ("publish outside", "OutsideTransaction"),
    ],
)
def test_a_broken_rule_fails_the_call_and_leaves_nothing(
    stock: Stock, how: str, reason: str
) -> None:
    with pytest.raises(CallFailed, match=reason) as caught:
        stock.misbehave(how=how)
    assert caught.value.__cause__ is not None
    assert not Item.objects.filter(sku="ghost").exists()


def test_a_call_inside_atomic_is_refused(stock: Stock) -> None:
    with atomic(), pytest.raises(CallInsideTransaction, match="before the block"):
        stock.levels(skus=["a"])
    assert stock.levels(skus=["a"])


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_call_inside_djangos_atomic_is_refused(stock: Stock) -> None:
    with transaction.atomic(), pytest.raises(CallInsideTransaction, match="Django transaction"):
        stock.levels(skus=["a"])


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_it_is_seen_on_whichever_connection_of_the_thread(stock: Stock) -> None:
    for alias in connections:
        connections[alias].ensure_connection()
    for alias in connections:
        with (
            transaction.atomic(using=alias),
            pytest.raises(CallInsideTransaction, match="Django transaction"),
        ):
            stock.levels(skus=["a"])


def test_a_connection_that_somebody_made_for_themselves_is_not_remembered() -> None:
    """A copy is closed soon, and would be looked at in each call while the thread lives."""
    copy = connections["default"].copy()
    try:
        copy.ensure_connection()
        assert all(one is not copy for one in seen.connections)
        assert any(one is connections["default"] for one in seen.connections)
    finally:
        copy.close()


def test_a_passed_deadline_refuses_the_call(stock: Stock) -> None:
    with deadline(seconds=-1), pytest.raises(Unavailable, match="deadline has passed"):
        stock.levels(skus=["a"])


def test_an_override_answers_and_is_taken_back(stock: Stock) -> None:
    class Empty:
        def levels(self, *, skus: object) -> dict[str, Level]:
            return {}

        def __getattr__(self, name: str) -> object:
            return lambda **_: None

    with override(Stock, Empty()):  # type: ignore[arg-type]  # a partial fake on purpose
        assert use(Stock).levels(skus=["a"]) == {}
    assert stock.levels(skus=["a"]) != {}


def test_a_context_copied_to_another_thread_shares_its_deadline_only(stock: Stock) -> None:
    """An open transaction belongs to the thread that opened it; the time left belongs to both."""
    there: dict[str, object] = {}

    def elsewhere() -> None:
        scope = current()
        there.update(depth=scope.depth, deadline=scope.deadline, scope=scope)

    with deadline(seconds=60), atomic(module="stock"):
        here = current()
        copied = contextvars.copy_context()
        thread = threading.Thread(target=copied.run, args=(elsewhere,))
        thread.start()
        thread.join()
        assert here.depth == 1
        assert current() is here
        assert there["deadline"] == here.deadline
    assert there["depth"] == 0
    assert there["scope"] is not here


def test_an_answer_that_does_not_fit_takes_the_effect_back(
    stock: Stock, monolift_route: str
) -> None:
    """In process and direct nothing looks at the answer; through the codec it must fit."""
    if monolift_route == "local":
        assert stock.misbehave(how="answer a number") == 7
        return
    with pytest.raises(CallFailed, match="its answer does not fit"):
        stock.misbehave(how="answer a number")
    assert not Item.objects.filter(sku="ghost").exists()
