"""Fixtures of the storefront's tests."""

import pytest

from tests.modules.storefront.shopper import Shopper


@pytest.fixture
def shopper() -> Shopper:
    """Somebody who opens the shop for the first time."""
    return Shopper()
