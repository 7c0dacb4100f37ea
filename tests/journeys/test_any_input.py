"""Any JSON at all, at every endpoint that takes some: an answer or a problem, never a fault."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.journeys.client import ADDRESS_BODY, Customer
from tests.shop import GOOD, assert_books_balance, shelve

pytestmark = pytest.mark.django_db(databases="__all__")

TEXT = st.text(st.characters(), max_size=30)
SCALAR = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT)
ANYTHING = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
GOOD_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/baskets/{basket}/lines"): {"sku": "MUG", "quantity": 1, "currency": "EUR"},
    ("PUT", "/baskets/{basket}/lines/MUG"): {"quantity": 2},
    ("PUT", "/baskets/{basket}/address"): ADDRESS_BODY,
    ("PUT", "/baskets/{basket}/delivery"): {"method": "standard"},
    ("POST", "/baskets/{basket}/order"): {
        "expected_total": {"amount": 1200, "currency": "EUR"},
        "card_token": "tok_x",
    },
    ("POST", "/payments/tokens"): {"number": GOOD, "expiry": "12/40", "cvc": "123"},
    ("POST", "/pricing/quotes"): {
        "lines": [{"sku": "MUG", "quantity": 1}],
        "currency": "EUR",
        "country": "DE",
    },
}


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, Any]:
    """A request that is right but for one field, or wrong altogether."""
    (method, path), body = draw(st.sampled_from(sorted(GOOD_BODIES.items(), key=str)))
    if draw(st.booleans()):
        return method, path, draw(ANYTHING)
    field = draw(st.sampled_from(sorted(body)))
    return method, path, {**body, field: draw(ANYTHING)}


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(request=requests())
def test_no_json_causes_a_fault(request: tuple[str, str, Any]) -> None:
    shelve(quantity=0)
    customer = Customer()
    method, path, body = request
    customer.give_address()
    response = customer.send(method, path.format(basket=customer.basket), body)
    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        assert response["Content-Type"] == "application/problem+json"
        assert json.loads(response.content)["status"] == response.status_code
    assert_books_balance()


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=TEXT, place=st.sampled_from(["/baskets/{}", "/orders/{}", "/catalog/products/{}"]))
def test_no_address_causes_a_fault(text: str, place: str) -> None:
    quoted = "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))
    response = Customer().send("GET", place.format(quoted))
    assert response.status_code < 500, response.content
