"""Coupons and delivery in a basket, and what an order makes of them."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from modules.orders.interface import (
    BasketId,
    CouponRefused,
    Order,
    Orders,
    OutOfStock,
    PaymentRefused,
    PriceChanged,
)
from modules.pricing.interface import Coupon, Pricing
from monolift import Money, use
from monolift.kernel import clock
from tests.shop import DECLINED, assert_books_balance, basket_with, card, shelve, some_id, total_of

pytestmark = pytest.mark.django_db(databases="__all__")
orders = use(Orders)
pricing = use(Pricing)


@dataclass(frozen=True, kw_only=True)
class Sums:
    """What a basket or an order says it costs, in minor units."""

    net: int
    discount: int
    shipping: int
    tax: int
    total: int


def sums(of: object) -> Sums:
    amounts = {name: getattr(of, name).amount for name in Sums.__dataclass_fields__}
    return Sums(**amounts)


def on_sale(*, limit: int | None = None, percent: int = 10) -> None:
    """A mug, and a coupon."""
    shelve()
    pricing.set_coupons(coupons=[Coupon(code="WELCOME", percent=percent, limit=limit)])


def basket_with_coupon() -> BasketId:
    basket_id = basket_with()
    orders.set_coupon(basket_id=basket_id, code=" welcome ")
    return basket_id


def bought(basket_id: BasketId) -> Order:
    return orders.check_out(
        basket_id=basket_id, expected_total=total_of(basket_id), card_token=card()
    )


def is_used_up() -> bool:
    """Whether a coupon of one use refuses another customer."""
    basket_id = basket_with()
    try:
        orders.set_coupon(basket_id=basket_id, code="WELCOME")
    except CouponRefused:
        return True
    return False


# Coupons ------------------------------------------------------------------------------------------


@pytest.mark.topologies("local", "loopback", fake=Orders)
def test_a_coupon_takes_its_part_off_before_tax() -> None:
    on_sale()
    basket = orders.basket(basket_id=basket_with_coupon())
    assert basket.coupon == "WELCOME"
    assert basket.coupon_problem == ""
    assert basket.coupon_discount == Money.of("1.00", "EUR")
    assert sums(basket) == Sums(net=1000, discount=100, shipping=0, tax=180, total=1080)


def test_an_order_costs_what_its_basket_said() -> None:
    on_sale()
    basket_id = basket_with_coupon()
    basket = orders.basket(basket_id=basket_id)
    order = bought(basket_id)
    assert order.coupon == "WELCOME"
    assert sums(order) == sums(basket)
    assert orders.order(order_id=order.id).coupon == "WELCOME"
    assert sums(orders.order(order_id=order.id)) == sums(basket)
    assert_books_balance()


def test_a_coupon_can_be_taken_off() -> None:
    on_sale()
    basket_id = basket_with_coupon()
    orders.set_coupon(basket_id=basket_id, code="")
    basket = orders.basket(basket_id=basket_id)
    assert (basket.coupon, basket.discount.amount) == ("", 0)


@pytest.mark.parametrize("code", ["NOBODY", "A B", "x" * 10_000, "'; --", "Ünïcode"])
def test_an_unknown_coupon_leaves_the_basket_alone(code: str) -> None:
    on_sale()
    basket_id = basket_with_coupon()
    with pytest.raises(CouponRefused):
        orders.set_coupon(basket_id=basket_id, code=code)
    assert orders.basket(basket_id=basket_id).coupon == "WELCOME"


def test_a_coupon_that_ends_meanwhile_is_named_and_counts_for_nothing() -> None:
    on_sale()
    basket_id = basket_with_coupon()
    ended = Coupon(code="WELCOME", percent=10, ends_at=clock.now() - timedelta(seconds=1))
    pricing.set_coupons(coupons=[ended])
    basket = orders.basket(basket_id=basket_id)
    assert "expired" in basket.coupon_problem
    assert basket.total == Money.of("12.00", "EUR")


def test_a_checkout_at_the_price_with_the_coupon_is_refused_without_it() -> None:
    on_sale(limit=1)
    first, second = basket_with_coupon(), basket_with_coupon()
    seen = total_of(second)
    bought(first)
    with pytest.raises((CouponRefused, PriceChanged)):
        orders.check_out(basket_id=second, expected_total=seen, card_token=card())
    # Nothing is stuck: without the coupon it can be bought.
    orders.set_coupon(basket_id=second, code="")
    assert bought(second).total == Money.of("12.00", "EUR")
    assert_books_balance()


@pytest.mark.topologies("local", "loopback", fake=Orders)
def test_who_saw_the_price_without_a_coupon_pays_it() -> None:
    shelve()
    high = Money.of("500.00", "EUR")
    pricing.set_coupons(coupons=[Coupon(code="BIG", percent=50, minimum=high, limit=1)])
    basket_id = basket_with()
    orders.set_coupon(basket_id=basket_id, code="BIG")
    order = bought(basket_id)
    assert (order.total, order.coupon) == (Money.of("12.00", "EUR"), "")
    assert pricing.coupon(code="BIG").limit == 1  # it can still be used
    assert_books_balance()


def test_a_coupon_of_one_use_is_used_up_by_an_order() -> None:
    on_sale(limit=1)
    bought(basket_with_coupon())
    assert is_used_up()


@pytest.mark.topologies("local", "loopback", fake=Orders)
def test_a_refused_card_gives_the_coupon_back() -> None:
    on_sale(limit=1)
    basket_id = basket_with_coupon()
    with pytest.raises(PaymentRefused):
        orders.check_out(
            basket_id=basket_id, expected_total=total_of(basket_id), card_token=card(DECLINED)
        )
    assert not is_used_up()
    assert bought(basket_id).coupon == "WELCOME"


def test_selling_out_gives_the_coupon_back() -> None:
    on_sale(limit=1)
    basket_id = basket_with_coupon()
    bought(basket_with(quantity=10))
    with pytest.raises(OutOfStock):
        bought(basket_id)
    assert not is_used_up()


def test_a_cancelled_order_gives_the_coupon_back() -> None:
    on_sale(limit=1)
    order = bought(basket_with_coupon())
    assert is_used_up()
    orders.cancel(order_id=order.id)
    assert not is_used_up()
    assert_books_balance()


@pytest.mark.parametrize("delivery", ["standard", "express"])
def test_a_coupon_worth_more_than_the_goods_makes_them_free(delivery: str) -> None:
    shelve()
    voucher = Coupon(code="VOUCHER", amount=Money.of("50.00", "EUR"))
    pricing.set_coupons(coupons=[voucher])
    basket_id = basket_with()
    orders.set_delivery(basket_id=basket_id, method=delivery)
    orders.set_coupon(basket_id=basket_id, code="VOUCHER")
    basket = orders.basket(basket_id=basket_id)
    assert basket.net == basket.discount
    assert basket.total == basket.shipping + basket.tax
    assert bought(basket_id).total == basket.total
    assert_books_balance()


# Delivery -----------------------------------------------------------------------------------------


def test_express_costs_something_and_is_taxed_like_goods() -> None:
    shelve()
    basket_id = basket_with()
    orders.set_delivery(basket_id=basket_id, method="express")
    basket = orders.basket(basket_id=basket_id)
    assert basket.shipping.amount > 0
    assert basket.tax.amount == (1000 + basket.shipping.amount) * 20 // 100
    assert basket.total == basket.net + basket.shipping + basket.tax
    order = bought(basket_id)
    assert sums(order) == sums(basket)


def test_without_an_address_delivery_has_no_price_yet() -> None:
    shelve()
    basket_id = BasketId(some_id())
    orders.add_to_basket(basket_id=basket_id, sku="MUG", quantity=1)
    basket = orders.basket(basket_id=basket_id)
    assert (basket.shipping.amount, basket.tax.amount) == (0, 0)
