"""What customers do over the REST API beyond buying: sign in, be asked by the bank, cancel."""

from uuid import UUID, uuid4

import pytest
from django.test import Client

from modules.orders.interface import OrderId, Orders
from modules.pricing.interface import Coupon, Pricing
from modules.shipping.interface import Shipping
from monolift import Money, use
from monolift.testing.scenario import Scenario
from tests.journeys.client import Customer, SignedIn, bought
from tests.shop import assert_books_balance, available, charges, shelve

pytestmark = pytest.mark.django_db(databases="__all__")
CHALLENGED = "4000000000003220"


def test_what_is_searched_for_is_found_and_bought(scenario: Scenario) -> None:
    shelve("TEAPOT")
    scenario.run_until_idle()
    customer = Customer()
    hits = customer.get("/search?text=teap")["slugs"]
    product = customer.get(f"/catalog/products/{hits[0]}")
    customer.add(product["variants"][0]["sku"])
    customer.give_address()
    answer = customer.order(total=customer.total(), token=customer.token())
    assert answer.json()["state"] == "paid"


def test_a_guests_basket_becomes_the_customers_order() -> None:
    shelve()
    guest = Customer()
    guest.add(quantity=2)
    customer = SignedIn()
    claimed = customer.send("POST", f"/baskets/{guest.basket}/claim", {})
    customer.basket = UUID(claimed.json()["id"])
    customer.give_address()
    order = customer.order(total=customer.total(), token=customer.token()).json()
    listed = customer.get("/orders")["orders"]
    assert [(one["id"], one["articles"]) for one in listed] == [(order["id"], 2)]
    assert guest.send("GET", "/orders").status_code == 401


@pytest.mark.parametrize("answer", ["approve", "refuse"])
def test_the_bank_asks_before_it_pays(answer: str) -> None:
    shelve()
    customer = Customer()
    customer.add()
    customer.give_address()
    total, token = customer.total(), customer.token(CHALLENGED)
    early = customer.order(total=total, token=token)
    assert early.status_code == 402
    assert "authentication was not completed" in early.json()["detail"]
    assert charges() == []
    asked = customer.send(
        "POST",
        "/payments/challenges",
        {"card_token": token, **total, "reference": str(customer.basket)},
    ).json()
    assert Client().post(asked["url"], {answer: "1"}).status_code == 303
    state = customer.get(f"/payments/challenges/{asked['id']}")["state"]
    done = customer.order(total=total, token=token)
    if answer == "approve":
        assert (state, done.status_code, charges()) == ("passed", 201, [("captured", 1200)])
    else:
        assert (state, done.status_code, charges()) == ("failed", 402, [])
    assert_books_balance()


def test_an_order_is_cancelled_and_its_coupon_counts_again() -> None:
    shelve()
    use(Pricing).set_coupons(coupons=[Coupon(code="ONCE", percent=10, limit=1)])
    customer = SignedIn()
    customer.add()
    used = customer.send("PUT", f"/baskets/{customer.basket}/coupon", {"code": "once"})
    assert used.status_code == 204
    order = bought(customer, quantity=1)
    assert order["total"]["amount"] == 2160
    cancelled = customer.send("POST", f"/orders/{order['id']}/cancel", {"reason": "too many"})
    assert cancelled.json()["state"] == "cancelled"
    assert customer.get("/orders")["orders"][0]["state"] == "cancelled"
    assert available() == 10
    again = customer.send("PUT", f"/baskets/{customer.basket}/coupon", {"code": "ONCE"})
    assert again.status_code == 204
    assert_books_balance()


def test_a_parcel_a_refund_and_a_bill_are_seen(scenario: Scenario) -> None:
    shelve()
    customer = Customer()
    order = bought(customer)
    scenario.run_until_idle()
    scenario.travel(minutes=2)
    shipped = customer.get(f"/orders/{order['id']}")
    assert (shipped["state"], bool(shipped["tracking"])) == ("shipped", True)
    late = customer.send("POST", f"/orders/{order['id']}/cancel", {"reason": ""})
    assert late.status_code == 409
    use(Shipping).mark_delivered(order_id=UUID(order["id"]))
    use(Orders).refund(
        order_id=OrderId(UUID(order["id"])),
        refund_reference=uuid4(),
        amount=Money.of("2.00", "EUR"),
        reason="a scratch",
    )
    scenario.run_until_idle()
    seen = customer.get(f"/orders/{order['id']}")
    assert (seen["state"], seen["refunded"]["amount"]) == ("delivered", 200)
    bill = customer.get(f"/orders/{order['id']}/invoice")
    assert bill["order"]["total"] == order["total"]
    assert_books_balance()
