"""Coupons in the basket, and deliveries at the checkout."""

from datetime import timedelta

import pytest

from modules.pricing.interface import Coupon, Pricing
from monolift import Money, use
from monolift.kernel import clock
from tests.modules.storefront.shopper import Shopper, text
from tests.shop import charges, shelve

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(autouse=True)
def basket(shopper: Shopper) -> None:
    """One mug of €10.00 in the basket, and coupons."""
    shelve("MUG")
    assert shopper.add().status_code == 303
    past = clock.now() - timedelta(days=1)
    use(Pricing).set_coupons(
        coupons=[
            Coupon(code="TENTH", percent=10),
            Coupon(code="OVER", percent=50, ends_at=past),
            Coupon(code="BIG", percent=50, minimum=Money.of("500.00", "EUR")),
            Coupon(code="ONCE", percent=20, limit=1),
        ]
    )


def test_a_coupon_is_seen_in_the_basket_and_paid_with(shopper: Shopper) -> None:
    assert shopper.post("/basket/coupon", code=" tenth ").status_code == 303
    assert "Coupon (TENTH) \u2212€1.00" in text(shopper.get("/basket"))
    assert shopper.total() == "1080 EUR"
    assert "Total €10.80" in shopper.order(shopper.pay())
    assert charges() == [("captured", 1080)]


def test_a_coupon_can_be_taken_off(shopper: Shopper) -> None:
    shopper.post("/basket/coupon", code="TENTH")
    shopper.post("/basket/coupon", code="")
    assert "Coupon (" not in text(shopper.get("/basket"))


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("OVER", "it has expired"),
        ("NOBODY", "NOBODY"),
        ("x" * 65, "No coupon is that long."),
        ("<script>", "does not count"),
    ],
)
def test_a_coupon_that_does_not_count_says_why(shopper: Shopper, code: str, told: str) -> None:
    answer = shopper.post("/basket/coupon", code=code)
    assert answer.status_code in (409, 422)
    assert told in text(answer)
    assert "<script>" not in answer.content.decode().split("<main")[1].split("</main")[0]
    assert "Check out" in text(answer)


def test_a_coupon_waits_for_its_minimum(shopper: Shopper) -> None:
    assert shopper.post("/basket/coupon", code="BIG").status_code == 303
    for path in ("/basket", "/checkout"):
        shown = text(shopper.get(path))
        assert "BIG does not count: it is for orders of at least 500.00 EUR." in shown
        assert "Total before tax €10.00" in shown
    assert "Total €12.00" in shopper.order(shopper.pay())


def test_a_coupon_that_is_used_up_meanwhile_is_named_and_nothing_is_charged(
    shopper: Shopper,
) -> None:
    shopper.post("/basket/coupon", code="ONCE")
    total = shopper.total()
    faster = Shopper()
    faster.add()
    faster.post("/basket/coupon", code="ONCE")
    faster.order(faster.pay())
    answer = shopper.pay(total)
    assert answer.status_code == 409
    assert "now €12.00; this page showed €9.60" in text(answer)
    assert "The coupon ONCE does not count" in text(answer)
    assert len(charges()) == 1


@pytest.mark.parametrize("code", ["TENTH", ""])
def test_a_coupon_without_a_basket_is_refused(code: str) -> None:
    assert Shopper().post("/basket/coupon", code=code).status_code == 409


# Delivery -----------------------------------------------------------------------------------------


def test_deliveries_have_prices_where_they_are_known(shopper: Shopper) -> None:
    unknown = text(shopper.get("/checkout"))
    assert "How Delivery Standard Express Card" in unknown
    shown = text(shopper.post("/checkout", country="GB", delivery="express", recalculate="1"))
    assert "Standard: within 7 days, free Express: within 2 days, €14.00" in shown
    assert "Delivery €14.00 Tax (United Kingdom) €4.80 Total €28.80" in shown


def test_express_is_charged(shopper: Shopper) -> None:
    total = shopper.total(delivery="express")
    assert total == "2880 EUR"
    paid = shopper.order(shopper.pay(total, delivery="express"))
    assert "Delivery €14.00" in paid
    assert charges() == [("captured", 2880)]


def test_another_delivery_than_shown_is_not_charged(shopper: Shopper) -> None:
    answer = shopper.pay(shopper.total(), delivery="express")
    assert answer.status_code == 409
    assert "now €28.80; this page showed €12.00" in text(answer)
    assert charges() == []
