"""A basket while it is being ordered: closed, until that is taken back."""

from collections.abc import Callable
from typing import Any

import pytest

from modules.catalog.interface import Catalog
from modules.orders.interface import (
    BasketClosed,
    BasketId,
    Order,
    Orders,
    OrderState,
    PaymentRefused,
)
from modules.orders.models import Basket
from modules.orders.sagas import Checkout
from modules.payments.interface import Payments
from monolift import Money, use
from monolift.registry.topology import topology
from monolift.sagas import operate
from monolift.testing.scenario import Scenario
from tests.doubles import slow
from tests.shop import (
    ADDRESS,
    DECLINED,
    available,
    basket_with,
    card,
    charges,
    left_under_way,
    shelve,
    total_of,
)

pytestmark = pytest.mark.django_db(databases="__all__")
orders = use(Orders)


def pay(basket_id: BasketId, total: Money, number: str | None = None) -> Order:
    token = card(number) if number else card()
    return orders.check_out(basket_id=basket_id, expected_total=total, card_token=token)


CHANGES: dict[str, Callable[[BasketId], Any]] = {
    "add": lambda it: orders.add_to_basket(basket_id=it, sku="MUG", quantity=1),
    "fewer": lambda it: orders.set_quantity(basket_id=it, sku="MUG", quantity=1),
    "remove": lambda it: orders.set_quantity(basket_id=it, sku="MUG", quantity=0),
    "address": lambda it: orders.set_address(basket_id=it, address=ADDRESS),
    "delivery": lambda it: orders.set_delivery(basket_id=it, method="express"),
    "coupon": lambda it: orders.set_coupon(basket_id=it, code=""),
}


@pytest.fixture
def basket_id() -> BasketId:
    """Two mugs, which cost 24.00 EUR."""
    shelve()
    return basket_with(quantity=2)


@pytest.fixture
def processing(basket_id: BasketId) -> Order:
    """Its order, whose card network has not answered yet."""
    with left_under_way():
        order = pay(basket_id, Money(2400, "EUR"))
    assert order.state is OrderState.PROCESSING
    return order


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_in_it_changes(
    basket_id: BasketId, processing: Order, change: str, scenario: Scenario
) -> None:
    with pytest.raises(BasketClosed) as refused:
        CHANGES[change](basket_id)
    assert refused.value.order_id == processing.id
    shown = orders.basket(basket_id=basket_id)
    assert (shown.order_id, [line.quantity for line in shown.lines]) == (processing.id, [2])
    scenario.travel(seconds=30)
    assert orders.order(order_id=processing.id).state is OrderState.PAID
    assert charges() == [("captured", 2400)]


def test_asked_again_it_waits_for_the_same_order(basket_id: BasketId, processing: Order) -> None:
    again = pay(basket_id, Money(2400, "EUR"))
    assert (again.id, again.state) == (processing.id, OrderState.PAID)
    assert charges() == [("captured", 2400)]


def test_asked_again_with_another_total_it_says_which_order_there_is(
    basket_id: BasketId, processing: Order, scenario: Scenario
) -> None:
    for _ in ("while it is processed", "once it is paid"):
        with pytest.raises(BasketClosed) as refused:
            pay(basket_id, Money(1200, "EUR"))
        assert refused.value.order_id == processing.id
        scenario.travel(seconds=30)
    assert orders.order(order_id=processing.id).total == Money(2400, "EUR")
    assert charges() == [("captured", 2400)]


def test_an_order_that_an_earlier_release_began_is_compared_too(
    basket_id: BasketId, processing: Order
) -> None:
    # It closes no basket, so what is in it may have changed since.
    Basket.objects.update(begun=None)
    orders.set_quantity(basket_id=basket_id, sku="MUG", quantity=1)
    with pytest.raises(BasketClosed) as refused:
        pay(basket_id, total_of(basket_id))
    assert refused.value.order_id == processing.id
    assert charges() == [("captured", 2400)]


def test_what_is_withdrawn_meanwhile_is_sold(basket_id: BasketId, processing: Order) -> None:
    use(Catalog).withdraw_product(slug="mug")
    again = pay(basket_id, Money(2400, "EUR"))
    assert (again.id, again.state) == (processing.id, OrderState.PAID)


def test_a_declined_card_opens_it_at_once(basket_id: BasketId) -> None:
    with pytest.raises(PaymentRefused):
        pay(basket_id, Money(2400, "EUR"), DECLINED)
    assert orders.basket(basket_id=basket_id).order_id is None
    orders.set_delivery(basket_id=basket_id, method="standard")
    orders.set_quantity(basket_id=basket_id, sku="MUG", quantity=1)
    assert pay(basket_id, Money(1200, "EUR")).state is OrderState.PAID
    assert charges() == [("captured", 1200)]
    assert available() == 9


def test_what_is_taken_back_later_opens_it(basket_id: BasketId, scenario: Scenario) -> None:
    with slow(Payments, "authorise"):
        order = pay(basket_id, Money(2400, "EUR"))
        stuck = scenario.settle(Checkout, key=str(order.id))
        with pytest.raises(BasketClosed):
            orders.set_quantity(basket_id=basket_id, sku="MUG", quantity=1)
    operate.retry(topology().alias("orders"), str(stuck.id))
    scenario.run_until_idle()
    assert orders.order(order_id=order.id).state is OrderState.FAILED
    assert orders.basket(basket_id=basket_id).order_id is None
    orders.set_quantity(basket_id=basket_id, sku="MUG", quantity=1)
    other = pay(basket_id, Money(1200, "EUR"))
    assert (other.id != order.id, other.state) == (True, OrderState.PAID)
    assert charges() == [("voided", 2400), ("captured", 1200)]
