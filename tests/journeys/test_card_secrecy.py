"""Card details leave no trace in the shop's databases, whatever headers a client sends."""

import pytest

from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from tests.journeys.client import GOOD, Customer

pytestmark = pytest.mark.django_db(databases="__all__")


def test_a_key_keeps_nothing_of_a_card() -> None:
    """Sixteen digits behind a fingerprint are guessed in seconds, so not even that is kept."""
    customer = Customer()
    card = {"number": GOOD, "expiry": "12/40", "cvc": "123"}
    for _ in range(2):
        response = customer.send(
            "POST", "/payments/tokens", card, headers={"Idempotency-Key": "once"}
        )
        assert response.status_code == 201
    assert fetch(topology().alias("payments"), "SELECT key FROM monolift_key") == []
