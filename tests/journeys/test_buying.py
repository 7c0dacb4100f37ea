"""Buying over the REST API, from the list of products to the paid order."""

import pytest

from monolift.registry.topology import topology
from monolift.testing.scenario import Scenario
from monolift.testing.statements import statements
from tests.journeys.client import ADDRESS_BODY, Customer
from tests.shop import (
    ANSWER_LOST,
    DECLINED,
    assert_books_balance,
    available,
    charges,
    shelve,
)

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def customer() -> Customer:
    """Somebody with a new basket."""
    return Customer()


def test_from_the_shelf_to_the_paid_order(customer: Customer, scenario: Scenario) -> None:
    shelve("MUG", price="12.50")
    listed = customer.get("/catalog/products")["products"][0]
    product = customer.get(f"/catalog/products/{listed['slug']}?currency=EUR")
    sku = product["variants"][0]["sku"]
    assert product["variants"][0]["price"] == {"amount": 1250, "currency": "EUR"}
    assert customer.get(f"/inventory/availability?sku={sku}") == {"MUG": 10}
    created = customer.send("POST", "/baskets")
    assert created.status_code == 201
    customer.basket = created.json()["id"]
    assert customer.add(sku, 2).status_code == 204
    assert customer.give_address().status_code == 204
    assert customer.choose_delivery().status_code == 204
    basket = customer.get(f"/baskets/{customer.basket}")
    assert (basket["address"], basket["delivery"]) == (ADDRESS_BODY, "express")
    assert basket["shipping"] == {"amount": 1400, "currency": "EUR"}
    assert basket["total"] == {"amount": (2500 + 1400) * 6 // 5, "currency": "EUR"}
    response = customer.order(total=basket["total"], token=customer.token())
    assert response.status_code == 201
    order = response.json()
    assert (order["state"], order["total"]) == ("paid", basket["total"])
    assert customer.get(f"/orders/{order['id']}") == order
    assert customer.get(f"/baskets/{customer.basket}")["order_id"] == order["id"]
    assert available() == 8
    scenario.travel(minutes=30)
    assert available() == 8
    assert scenario.failed_deliveries() == []
    assert_books_balance()


@pytest.mark.topologies("local", "loopback")
def test_five_requests_stay_within_their_statements(customer: Customer) -> None:
    shelve()
    token = customer.token()
    with statements() as four:
        assert customer.add().status_code == 204
        basket = customer.get(f"/baskets/{customer.basket}")
        assert basket["total"]["amount"] == 1000
        assert customer.give_address().status_code == 204
        assert customer.choose_delivery().status_code == 204
    with statements() as fifth:
        response = customer.order(total={"amount": 2880, "currency": "EUR"}, token=token)
    assert response.json()["state"] == "paid"
    if topology().alias("orders") == topology().alias("payments"):
        assert len(fifth) <= 26, fifth
        assert len(four) + len(fifth) <= 45, four


@pytest.mark.parametrize(
    ("currency", "total"), [("JPY", 1200), ("KWD", 1200), ("USD", 1200), ("EUR", 1200)]
)
def test_every_currency_can_be_paid_in(customer: Customer, currency: str, total: int) -> None:
    shelve(price="10.00")
    customer.add(currency=currency)
    customer.give_address()
    assert customer.total() == {"amount": total, "currency": currency}
    response = customer.order(total=customer.total(), token=customer.token())
    assert response.json()["total"] == {"amount": total, "currency": currency}


def test_another_card_after_a_declined_one(customer: Customer) -> None:
    shelve()
    customer.add()
    customer.give_address()
    refused = customer.order(total=customer.total(), token=customer.token(DECLINED))
    assert refused.status_code == 402
    assert refused.json()["type"] == "urn:problem:orders.payment_refused"
    assert (available(), charges()) == (10, [])
    paid = customer.order(total=customer.total(), token=customer.token())
    assert paid.status_code == 201
    assert charges() == [("captured", 1200)]


def test_a_lost_answer_does_not_charge_twice(customer: Customer) -> None:
    shelve()
    customer.add()
    customer.give_address()
    response = customer.order(total=customer.total(), token=customer.token(ANSWER_LOST))
    assert response.json()["state"] == "paid"
    assert charges() == [("captured", 1200)]


@pytest.mark.parametrize("key", [None, "order-1"])
def test_the_back_button_after_paying_shows_the_order(customer: Customer, key: str | None) -> None:
    shelve()
    customer.add()
    customer.give_address()
    total, token = customer.total(), customer.token()
    first = customer.order(total=total, token=token, key=key)
    again = customer.order(total=total, token=token, key=key)
    other_card = customer.order(total=total, token=customer.token())
    assert first.status_code == 201
    assert again.json() == other_card.json() == first.json()
    assert charges() == [("captured", 1200)]
    closed = customer.add()
    assert closed.status_code == 409
    assert closed.json()["fields"]["order_id"] == first.json()["id"]


def test_an_idempotency_key_adds_once(customer: Customer) -> None:
    shelve()
    path, body = f"/baskets/{customer.basket}/lines", {"sku": "MUG", "quantity": 1}
    for _ in range(3):
        response = customer.send("POST", path, body, headers={"Idempotency-Key": "k1"})
        assert response.status_code == 204
    other = {"sku": "MUG", "quantity": 2}
    reused = customer.send("POST", path, other, headers={"Idempotency-Key": "k1"})
    assert reused.status_code == 422
    assert customer.get(f"/baskets/{customer.basket}")["lines"][0]["quantity"] == 1


def test_a_price_that_changed_meanwhile_is_shown(customer: Customer) -> None:
    shelve(price="10.00")
    customer.add()
    customer.give_address()
    total, token = customer.total(), customer.token()
    shelve(price="12.00", quantity=0)
    refused = customer.order(total=total, token=token)
    assert refused.status_code == 409
    assert refused.json()["fields"]["now"] == {"amount": 1440, "currency": "EUR"}
    assert charges() == []
    assert customer.order(total=customer.total(), token=token).status_code == 201


def test_the_last_one_goes_to_the_first(customer: Customer) -> None:
    shelve(quantity=1)
    other = Customer()
    for somebody in (customer, other):
        somebody.add()
        somebody.give_address()
    assert customer.order(total=customer.total(), token=customer.token()).status_code == 201
    refused = other.order(total=other.total(), token=other.token())
    assert refused.status_code == 409
    assert refused.json()["detail"] == "Only 0 of MUG are left."
    assert available() == 0
    assert_books_balance()


def test_a_quote_is_what_the_basket_says(customer: Customer) -> None:
    shelve(price="9.99")
    customer.add(quantity=3)
    customer.give_address()
    body = {"lines": [{"sku": "MUG", "quantity": 3}], "currency": "EUR", "country": "GB"}
    quote = customer.send("POST", "/pricing/quotes", body).json()
    assert quote["total"] == customer.total()
    assert customer.get("/pricing/prices?sku=MUG&sku=NONE") == {
        "MUG": {"unit": {"amount": 999, "currency": "EUR"}, "before": None}
    }
    assert "GB" in customer.get("/pricing/destinations")


def test_a_line_can_be_changed_and_removed(customer: Customer) -> None:
    shelve()
    customer.add()
    line = f"/baskets/{customer.basket}/lines/MUG"
    assert customer.send("PUT", line, {"quantity": 4}).status_code == 204
    assert customer.get(f"/baskets/{customer.basket}")["lines"][0]["quantity"] == 4
    for _ in range(2):
        assert customer.send("DELETE", line).status_code == 204
    assert customer.get(f"/baskets/{customer.basket}")["lines"] == []
