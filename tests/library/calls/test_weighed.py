"""Calls to another deployable that are weighed, and what the other side writes of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from monolift import use
from monolift.kernel import Unavailable
from monolift.lift.advice.smells.calls import longest
from monolift.observe import ledger, seen
from monolift.observe.matrix import clear, counted
from monolift.observe.seen import Seen
from monolift.observe.trace import Trace
from monolift.observe.weighing import weighed
from monolift.registry.scope import Scope
from tests.library.calls.warehouse import KEYS, made_warehouse, reached
from tests.library.calls.wire import Wire
from tests.library.running import eventually
from tests.library.world.stock.interface import Stock

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(autouse=True)
def every_request(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.MONOLIFT = {**settings.MONOLIFT, "WEIGH": 1, "DATA": tmp_path / "here"}
    ledger.clear()
    clear()
    yield
    ledger.clear()


def request(name: str) -> weighed:
    scope = Scope(None, None, None)
    scope.kind, scope.operation = "request", name
    scope.trace = Trace("7" * 32, "1" * 16, True, "test")
    return weighed(scope)


def written() -> Seen:
    ledger.write(last=True)
    return seen.read()


def test_remote_calls_are_told_apart(stock: Stock, sku: str) -> None:
    with request("GET /basket"):
        for _ in range(6):
            stock.levels(skus=[sku])
    found = written()
    assert found.remote == {6: 1}
    assert found.talk["stock.levels"].remote_at_once == 6
    (hop,) = found.hops
    assert (hop.entry, hop.calls, hop.trace) == ("GET /basket", ("stock.levels",), "7" * 32)
    assert longest(found.hops) == (1, ())
    (entry,) = [one for one in found.counted if one.operation == "stock.levels"]
    assert (entry.remote, entry.retries, entry.unavailable) == (6, 0, 0)


def test_retries_and_silence_are_counted(stock: Stock, sku: str, wire: Wire) -> None:
    clear()
    wire.mode = "refuse"
    with pytest.raises(Unavailable):
        stock.levels(skus=[sku])
    wire.mode = "ok"
    (entry,) = [one for one in counted() if one.operation == "stock.levels"]
    assert (entry.remote, entry.unavailable) == (1, 1)
    assert 1 <= entry.retries <= 2


def test_the_other_side_weighs_the_same_trace(tmp_path: Path, settings: Settings) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": KEYS}
    folder = tmp_path / "there"
    folder.mkdir()
    warehouse = made_warehouse(folder, MONOLIFT_TESTS_WEIGH="1")
    try:
        warehouse.start()

        def asked() -> Seen | None:
            with request("GET /"):
                use(Stock).levels(skus=["a"])
            there = seen.read([folder / "var/observed"])
            return there if "stock" in there.modules else None

        with reached(warehouse.port):
            there = eventually(asked, what="the warehouse has written what it saw")
    finally:
        warehouse.close()
    assert there is not None
    assert there.modules["stock"].requests >= 1
    assert there.modules["stock"].cpu > 0
    assert "warehouse" in there.versions
    assert sum(one.undated for one in there.counted) == 0
