"""What is alive does not cross an interface; transactions around views are reported."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy
from pytest_django import Settings

from monolift import override, use
from monolift.boundaries.sql_checks import atomic_requests
from monolift.kernel import CallFailed
from monolift.registry import topology as topologies
from monolift.testing.transports import transported
from monolift.transport.live import live
from tests.library.world.stock.interface import Level, Stock
from tests.library.world.stock.models import Item
from tests.library.world.stock.services import StockService

pytestmark = pytest.mark.django_db(databases="__all__")


class Answers(StockService):
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def levels(self, *, skus: Sequence[str]) -> Mapping[str, Level]:
        return self.answer  # type: ignore[no-any-return]  # the mistake under test


ALIVE = {
    "a QuerySet of stock.Item": lambda: {"a": Item.objects.all()},
    "an instance of the model stock.Item": lambda: {"a": [Item(sku="a", left=1)]},
    "a Manager of stock.Item": lambda: {"a": Item.objects},
    "a RawQuerySet of stock.Item": lambda: Item.objects.raw("SELECT 1"),
    "a generator": lambda: (number for number in range(3)),
    "a dict_values": lambda: {"a": {"b": 1}.values()},
    "a lazy object": lambda: {"a": (gettext_lazy("Hello"),)},
    "a lazy object. Give the value": lambda: {"a": SimpleLazyObject(lambda: 1)},
}


@pytest.mark.topologies("local", "loopback")
@pytest.mark.parametrize("what", ALIVE)
def test_an_answer_that_is_alive_is_refused(what: str) -> None:
    with (
        override(Stock, Answers(ALIVE[what]())),
        pytest.raises(CallFailed, match=f"stock.levels failed: its answer: {what}"),
    ):
        use(Stock).levels(skus=["a"])


@pytest.mark.topologies("local", "loopback")
def test_an_argument_that_is_alive_is_refused() -> None:
    queryset: Any = Item.objects.values_list("sku", flat=True)
    with pytest.raises(CallFailed, match=r"its arguments: a QuerySet of stock\.Item"):
        use(Stock).levels(skus=queryset)
    with pytest.raises(CallFailed, match="its arguments: a generator"):
        use(Stock).levels(skus=(sku for sku in "ab"))  # type: ignore[arg-type]  # the mistake


def test_plain_data_is_let_through() -> None:
    levels = {"a": Level(left=1, held=0), "b": [(), frozenset({1}), b"", None, 1.5]}
    assert live(levels) is None


def test_production_does_not_look(settings: Settings) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "CHECK_VALUES": False}
    rows = Item.objects.all()
    with transported("local"), override(Stock, Answers(rows)):
        assert use(Stock).levels(skus=[]) is rows
    assert topologies.topology()


# ATOMIC_REQUESTS ----------------------------------------------------------------------------------


def test_atomic_requests_are_reported(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert atomic_requests() == []
    monkeypatch.setitem(settings.DATABASES["default"], "ATOMIC_REQUESTS", True)
    (error,) = atomic_requests()
    assert error.id == "monolift.E201"
    assert "DATABASES['default']" in error.msg
    assert "non_atomic_requests" in str(error.hint)
    assert "CALLS_IN_TRANSACTION" in str(error.hint)


def test_atomic_requests_are_a_warning_while_adopting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ATOMIC_REQUESTS", True)
    settings.MONOLIFT = {**settings.MONOLIFT, "CALLS_IN_TRANSACTION": "warn"}
    (warning,) = atomic_requests()
    assert warning.id == "monolift.W201"


def test_the_check_is_registered() -> None:
    from django.core.checks.registry import registry

    assert atomic_requests in registry.get_checks()
