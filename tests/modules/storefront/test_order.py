"""An order's page: every state, cancelling, the invoice."""

import html
import re
from uuid import UUID, uuid4

import msgspec
import pytest

from modules.orders.interface import OrderId, Orders, OrderState
from modules.pricing.interface import Coupon, Pricing
from modules.shipping.interface import Shipping
from monolift import Money, use
from monolift.testing.scenario import Scenario
from tests.doubles import answering
from tests.modules.storefront.cost import cost
from tests.modules.storefront.shopper import Shopper, text
from tests.shop import available, books, shelve

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def order(shopper: Shopper) -> str:
    """The address of the page of a paid order of one mug."""
    shelve("MUG")
    shopper.add()
    return str(shopper.pay()["Location"])


def id_of(order: str) -> OrderId:
    return OrderId(UUID(order.rpartition("/")[2]))


@pytest.mark.parametrize("state", list(OrderState))
def test_every_state_has_a_page(shopper: Shopper, order: str, state: OrderState) -> None:
    known = use(Orders).order(order_id=id_of(order))
    with answering(Orders, order=msgspec.structs.replace(known, state=state)):
        page = shopper.get(order)
    assert page.status_code == 200
    assert state.value.capitalize() in text(page)
    waits = state in {"processing", "placed", "paid", "shipped", "cancelling"}
    assert ("hx-trigger" in page.content.decode().split("<main")[1]) is waits
    assert ('http-equiv="refresh"' in page.content.decode()) is waits


@pytest.mark.together
def test_looking_costs_little(shopper: Shopper, order: str) -> None:
    seen = cost(shopper, order)
    assert seen.calls == {"catalog.categories": 1, "orders.order": 1}
    assert seen.statements == 3


@pytest.mark.together
def test_a_page_that_asks_again_hears_only_what_is_new(
    shopper: Shopper, order: str, scenario: Scenario
) -> None:
    (again,) = re.findall(r'hx-get="([^"]+)"', shopper.get(order).content.decode())
    asked = {"HX-Request": "true"}
    nothing = shopper.get(html.unescape(again), headers=asked)
    assert (nothing.status_code, nothing.content) == (204, b"")
    assert nothing["Cache-Control"] == "private, no-store"
    assert shopper.get(html.unescape(again)).status_code == 200
    scenario.run_until_idle()
    scenario.travel(minutes=2)
    assert "It is on its way" in text(shopper.get(html.unescape(again), headers=asked))


@pytest.mark.together
def test_a_parcel_is_followed(shopper: Shopper, order: str, scenario: Scenario) -> None:
    scenario.run_until_idle()
    scenario.travel(minutes=2)
    shown = text(shopper.get(order))
    assert "Shipped It is on its way" in shown
    assert use(Orders).order(order_id=id_of(order)).tracking in shown
    assert "Cancel the order" not in shown
    use(Shipping).mark_delivered(order_id=id_of(order))
    scenario.run_until_idle()
    assert "Delivered It has arrived" in text(shopper.get(order))


@pytest.mark.together
def test_an_order_can_be_cancelled_before_it_leaves(shopper: Shopper, order: str) -> None:
    assert "Cancel the order" in text(shopper.get(order))
    assert shopper.post(f"{order}/cancel")["Location"] == order
    shown = text(shopper.get(order))
    assert "The order is cancelled" in shown
    assert "€12.00 went back to your card." in shown
    assert available() == 10
    assert [charge.refunded.amount for charge in books()] == [1200]
    assert shopper.post(f"{order}/cancel").status_code == 303


@pytest.mark.together
def test_what_has_left_cannot_be_cancelled(
    shopper: Shopper, order: str, scenario: Scenario
) -> None:
    scenario.run_until_idle()
    scenario.travel(minutes=2)
    answer = shopper.post(f"{order}/cancel")
    assert answer.status_code == 409
    assert "cannot be cancelled: it is shipped" in text(answer)
    assert "It is on its way" in text(answer)


def test_cancelling_is_no_link(shopper: Shopper, order: str) -> None:
    assert shopper.get(f"{order}/cancel").status_code == 405


def test_a_refund_is_seen(shopper: Shopper, order: str) -> None:
    amount = Money.of("2.00", "EUR")
    use(Orders).refund(
        order_id=id_of(order), refund_reference=uuid4(), amount=amount, reason="a scratch"
    )
    assert "€2.00 of it went back to your card." in text(shopper.get(order))


@pytest.mark.together
def test_an_invoice_comes_after_paying(shopper: Shopper, order: str, scenario: Scenario) -> None:
    early = shopper.get(f"{order}/invoice")
    assert early.status_code == 404
    assert "There is no invoice" in text(early)
    scenario.run_until_idle()
    shown = text(shopper.get(f"{order}/invoice"))
    bill = use(Orders).invoice(order_id=id_of(order))
    assert f"Invoice {bill.number}" in shown
    assert "Mug, plain MUG 1 €10.00 €12.00" in shown
    assert "Goods €10.00 Delivery free Tax (United Kingdom) €2.00 Total €12.00" in shown
    assert "Tax rate Net Tax 20 % €10.00 €2.00" in shown


def test_the_coupon_is_told_apart_and_tax_by_its_rates(
    shopper: Shopper, scenario: Scenario
) -> None:
    shelve("MUG")
    shelve("VOUCHER", price="25.00")
    use(Pricing).set_taxed(taxed={"VOUCHER": False})
    use(Pricing).set_coupons(coupons=[Coupon(code="SPRING", percent=10)])
    shopper.add("MUG")
    shopper.add("VOUCHER")
    shopper.post("/basket/coupon", code="spring")
    order = shopper.pay()["Location"]
    scenario.run_until_idle()
    costs = (
        "Goods €35.00 Coupon (SPRING) \u2212€3.50 Delivery free Tax (United Kingdom) €1.80 "
        "Total €33.30"
    )
    assert costs in text(shopper.get(order))
    shown = text(shopper.get(f"{order}/invoice"))
    assert costs in shown
    assert "Tax rate Net Tax 20 % €9.00 €1.80 0 % €22.50 €0.00" in shown


@pytest.mark.parametrize("order_id", ["x", "%00", "4fd1e7c2-7a5c-4f0e-9d5f-0f3a2b6c8d10"])
@pytest.mark.parametrize("page", ["", "/invoice", "/cancel"])
def test_unknown_orders_are_not_found(shopper: Shopper, order_id: str, page: str) -> None:
    path = f"/orders/{order_id}{page}"
    answer = shopper.post(path) if page == "/cancel" else shopper.get(path)
    assert answer.status_code == 404
