"""Bad input over the REST API: always a 4xx problem (RFC 9457), and nothing half done."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse

from modules.orders import models
from tests.journeys.client import ADDRESS_BODY, Customer
from tests.shop import GOOD, assert_books_balance, available, charges, shelve

pytestmark = pytest.mark.django_db(databases="__all__")

NAUGHTY = [
    "",
    "\0",
    "a\0b",
    "\x1b[31m",
    "\r\nSet-Cookie: a=b",
    "\x85",
    "\ud800",
    "x" * 100_000,
]
"""Strings that no field takes."""

ODD = [
    "Robert'); DROP TABLE orders_order;--",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "\uff46\uff55\uff4c\uff4c width",
    "Ṱ̺̺o͞ i̲n̬v̡oke",
    "👩‍👩‍👧 family",
    "مرحبا",
    "null",
    "../../etc/passwd",
]
"""Strings that are nobody's name here but are not wrong: they come back as they were."""


@pytest.fixture
def customer() -> Iterator[Customer]:
    """A customer whose mistakes leave no trace."""
    shelve()
    customer = Customer()
    yield customer
    assert not models.Order.objects.exists()
    assert available() == 10
    assert charges() == []
    assert_books_balance()


def assert_problem(response: HttpResponse, *statuses: int) -> dict[str, Any]:
    """The answer is a problem, and nothing internal shows."""
    assert response.status_code in statuses, (response.status_code, response.content[:500])
    assert response["Content-Type"] == "application/problem+json", response.content[:500]
    body: dict[str, Any] = json.loads(response.content)
    assert body["status"] == response.status_code
    assert body["title"]
    assert "Traceback" not in response.content.decode()
    return body


QUANTITIES = [0, -1, 100, 2**31, 2**63, 10**30, "1", "1e3", 1.5, True, None, [], {}]


@pytest.mark.parametrize("quantity", QUANTITIES, ids=repr)
def test_a_quantity_is_a_whole_number_from_1_to_99(customer: Customer, quantity: Any) -> None:
    path = f"/baskets/{customer.basket}/lines"
    problem = assert_problem(customer.send("POST", path, {"sku": "MUG", "quantity": quantity}), 422)
    assert {error["field"] for error in problem["errors"]} == {"body.quantity"}
    assert not models.Basket.objects.exists()


@pytest.mark.parametrize("literal", ["1e3", "NaN", "Infinity", "1.0", "0x1", "01"])
def test_a_quantity_is_not_a_strange_number(customer: Customer, literal: str) -> None:
    body = f'{{"sku": "MUG", "quantity": {literal}}}'.encode()
    assert_problem(customer.send("POST", f"/baskets/{customer.basket}/lines", body), 400, 422)


@pytest.mark.parametrize("sku", [*NAUGHTY, "a b", "a/b", "é", "x" * 65, 1, None], ids=ascii)
def test_a_sku_is_plain_text(customer: Customer, sku: Any) -> None:
    assert_problem(customer.send("POST", f"/baskets/{customer.basket}/lines", {"sku": sku}), 422)


def test_an_unknown_sku_is_not_found(customer: Customer) -> None:
    problem = assert_problem(customer.add("NONE"), 404)
    assert problem["type"] == "urn:problem:orders.unknown_sku"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"{'sku': 1}",
        b"\xff\xfe",
        b'{"sku": "\xff"}',
        b"[" * 5000,
    ],
    ids=ascii,
)
def test_malformed_json_is_refused(customer: Customer, body: bytes) -> None:
    assert_problem(customer.send("POST", f"/baskets/{customer.basket}/lines", body), 400, 422)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"]
)
def test_another_content_type_is_refused(customer: Customer, content_type: str) -> None:
    body = json.dumps({"sku": "MUG"}).encode()
    path = f"/baskets/{customer.basket}/lines"
    assert_problem(customer.send("POST", path, body, content_type=content_type), 415)
    assert not models.Basket.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/catalog/products/none", 404),
        ("GET", "/orders/5e975203-6403-45e1-9198-991119ee2cd0", 404),
        ("DELETE", "/catalog/products", 405),
        ("POST", "/orders/", 404),
        ("PATCH", "/payments/tokens", 405),
    ],
)
def test_what_is_not_there(customer: Customer, method: str, path: str, status: int) -> None:
    assert_problem(customer.send(method, path), status)


@pytest.mark.parametrize(
    "path",
    [
        "/baskets/1",
        "/baskets/not-a-uuid",
        "/orders/%00",
        "/catalog/products/a%00b",
        "/catalog/products/" + "x" * 101,
        "/catalog/products?limit=0",
        "/catalog/products?limit=101",
        "/catalog/products?limit=many",
        "/catalog/products?currency=XXX",
        "/catalog/products?after=%00",
        "/catalog/products?after=AAAA",
        "/inventory/availability",
        "/inventory/availability?sku=",
        "/inventory/availability?sku=%00",
        "/pricing/prices?sku=MUG&currency=BTC",
        "/inventory/availability?" + "&".join(f"sku=S{number}" for number in range(101)),
    ],
)
def test_a_bad_address_is_refused(customer: Customer, path: str) -> None:
    assert_problem(customer.send("GET", path), 404, 422)


@pytest.mark.parametrize("field", sorted(ADDRESS_BODY))
@pytest.mark.parametrize("value", [*NAUGHTY, None, 1, []], ids=ascii)
def test_an_address_is_printable_text(customer: Customer, field: str, value: Any) -> None:
    body = {**ADDRESS_BODY, field: value}
    assert_problem(customer.send("PUT", f"/baskets/{customer.basket}/address", body), 422)
    assert not models.Basket.objects.exists()


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_kept_as_they_are(customer: Customer, name: str) -> None:
    body = {**ADDRESS_BODY, "name": name}
    path = f"/baskets/{customer.basket}"
    assert customer.send("PUT", f"{path}/address", body).status_code == 204
    assert customer.get(path)["address"]["name"] == name


@pytest.mark.parametrize("country", ["XX", "de", "DEU", "D", "ДЕ"])
def test_a_country_is_one_we_deliver_to(customer: Customer, country: str) -> None:
    body = {**ADDRESS_BODY, "country": country}
    assert_problem(customer.send("PUT", f"/baskets/{customer.basket}/address", body), 422)


@pytest.mark.parametrize("method", ["", "drone", None, 1, "STANDARD"])
def test_a_delivery_is_one_of_two(customer: Customer, method: Any) -> None:
    path = f"/baskets/{customer.basket}/delivery"
    assert_problem(customer.send("PUT", path, {"method": method}), 422)


def test_an_empty_basket_cannot_be_ordered(customer: Customer) -> None:
    total = {"amount": 0, "currency": "EUR"}
    problem = assert_problem(customer.order(total=total, token="tok_x"), 409)
    assert problem["type"] == "urn:problem:orders.basket_empty"


def test_without_an_address_nothing_can_be_ordered(customer: Customer) -> None:
    customer.add()
    problem = assert_problem(customer.order(total=customer.total(), token="tok_x"), 409)
    assert problem["type"] == "urn:problem:orders.address_missing"


@pytest.mark.parametrize(
    "total",
    [
        None,
        12,
        "12.00",
        {},
        {"amount": "1200", "currency": "EUR"},
        {"amount": 1200.0, "currency": "EUR"},
        {"amount": True, "currency": "EUR"},
        {"amount": -1, "currency": "EUR"},
        {"amount": 10**20, "currency": "EUR"},
        {"amount": 1200, "currency": "eur"},
        {"amount": 1200, "currency": "XXX"},
        {"amount": 1200},
    ],
    ids=repr,
)
def test_an_expected_total_is_money(customer: Customer, total: Any) -> None:
    customer.add()
    customer.give_address()
    assert_problem(customer.order(total=total, token="tok_x"), 422)


@pytest.mark.parametrize("token", [*NAUGHTY, None, 1, "tok x"], ids=ascii)
def test_a_card_token_is_a_token(customer: Customer, token: Any) -> None:
    customer.add()
    customer.give_address()
    assert_problem(customer.order(total=customer.total(), token=token), 422)


def test_a_made_up_token_is_refused(customer: Customer) -> None:
    customer.add()
    customer.give_address()
    assert_problem(customer.order(total=customer.total(), token="tok_made_up"), 402)


@pytest.mark.parametrize(
    "changed",
    [
        {"number": "4242424242424241"},
        {"number": "5555555555554444"},
        {"number": "x" * 31},
        {"number": 4242424242424242},
        {"number": ""},
        {"number": None},
        {"number": "4242\0"},
        {"expiry": "12/20"},
        {"expiry": "13/40"},
        {"expiry": "12/2040"},
        {"expiry": None},
        {"cvc": "1"},
        {"cvc": "12345"},
        {"cvc": 123},
    ],
    ids=ascii,
)
def test_a_bad_card_is_refused_and_never_repeated(
    customer: Customer, changed: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    card = {"number": GOOD, "expiry": "12/40", "cvc": "123", **changed}
    response = customer.send("POST", "/payments/tokens", card)
    assert_problem(response, 422)
    for text in (response.content.decode(), caplog.text):
        assert GOOD not in text
        assert str(card["number"]) not in text or len(str(card["number"])) < 5


@pytest.mark.parametrize("key", ["", " ", "é", "x" * 256, '"'])
def test_an_idempotency_key_is_visible_ascii(customer: Customer, key: str) -> None:
    path = f"/baskets/{customer.basket}/lines"
    response = customer.send("POST", path, {"sku": "MUG"}, headers={"Idempotency-Key": key})
    if key != '"':
        assert_problem(response, 400)


def test_an_enormous_body_is_refused(customer: Customer) -> None:
    body = b'{"sku": "' + b"x" * 2_000_000 + b'"}'
    assert_problem(customer.send("POST", f"/baskets/{customer.basket}/lines", body), 400, 413, 422)
