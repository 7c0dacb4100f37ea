"""A warehouse in a process of its own, reached over a wire that can break."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from pytest_django import Settings

from monolift import use
from tests.library.calls.warehouse import KEYS, made_warehouse, reached
from tests.library.calls.wire import Wire
from tests.library.deployed import Deployed
from tests.library.world.stock.interface import Stock


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    made = made_warehouse(tmp_path_factory.mktemp("warehouse"), LOG_LEVEL="WARNING")
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def wire(warehouse: Deployed, settings: Settings) -> Iterator[Wire]:
    settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": KEYS}
    with Wire(warehouse.port) as wire, reached(wire.port):
        yield wire


@pytest.fixture
def stock(wire: Wire) -> Stock:
    return use(Stock)


@pytest.fixture
def sku(stock: Stock) -> str:
    """Ten of something that no other test has."""
    name = uuid4().hex
    stock.fill(sku=name)
    return name
