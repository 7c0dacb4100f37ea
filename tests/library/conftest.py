"""Fixtures of the library's own tests."""

from collections.abc import Iterator

import pytest

from monolift import use
from tests.library.world.cards.services import network
from tests.library.world.stock import faults
from tests.library.world.stock.interface import Stock


@pytest.fixture(autouse=True)
def no_faults() -> Iterator[None]:
    """Start and end without planned faults, and with an empty card network."""
    faults.planned.clear()
    network().clear()
    yield
    faults.planned.clear()


@pytest.fixture
def stock(db: None) -> Stock:
    """Stock, filled with 10 of `a` and 10 of `b`."""
    proxy = use(Stock)
    proxy.fill(sku="a")
    proxy.fill(sku="b")
    return proxy
