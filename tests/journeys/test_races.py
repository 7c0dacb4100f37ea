"""Case B19: cancel against pay, pay against expiry, twice the same: at each point of a checkout."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from pytest_django import Settings

from modules.inventory.interface import Inventory
from modules.orders.interface import (
    BasketClosed,
    BasketId,
    CheckoutFailed,
    NotCancellable,
    OrderId,
    OrderNotFound,
    Orders,
    OrderState,
)
from modules.orders.queries.baskets import order_of as attempted
from modules.orders.queries.baskets import stored_basket
from modules.orders.sagas import Checkout
from modules.payments.interface import Payments
from modules.pricing.interface import Pricing
from modules.shipping.interface import ShipmentState, Shipping
from monolift import Money, Unavailable, use
from monolift.testing.scenario import Scenario
from tests.doubles import instead
from tests.shop import available, basket_with, books, card, shelve, total_of

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
orders = use(Orders)

PLACES = [
    (Pricing, "quote"),
    (Inventory, "reserve"),
    (Payments, "authorise"),
    (Inventory, "take"),
    (Payments, "capture"),
    (Shipping, "book"),
]
"""The calls of a checkout. Right before one is right after the commit of the one before."""


@pytest.fixture(autouse=True)
def _unfused(settings: Settings) -> None:
    """Between steps that commit one by one there is room for others."""
    settings.MONOLIFT = {**settings.MONOLIFT, "FUSION": False}


def order_of(basket_id: BasketId) -> OrderId:
    """The id that the next attempt at this basket gives its order."""
    stored = stored_basket(basket_id=basket_id)
    assert stored is not None
    return attempted(basket_id=basket_id, attempt=stored.attempt)


def in_a_thread(act: Callable[[], object]) -> threading.Thread:
    """Begin it in a thread with connections of its own."""

    def run() -> None:
        try:
            act()
        except (NotCancellable, OrderNotFound, CheckoutFailed, Unavailable):
            pass  # an answer as good as any: what counts is what is left behind
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@contextmanager
def meanwhile(place: tuple[Any, str], act: Callable[[], object], *, wait: bool) -> Iterator[None]:
    """Do something else once, right before a step's call."""
    interface, operation = place
    begun: list[threading.Thread] = []

    def call(real: Callable[..., Any], **arguments: Any) -> Any:
        if not begun:
            begun.append(in_a_thread(act))
            if wait:
                begun[0].join()
        return real(**arguments)

    with instead(interface, **{operation: call}):
        yield
        for thread in begun:
            thread.join()
    assert begun, "the place was not reached"


def buy(basket_id: BasketId, total: Money, scenario: Scenario) -> OrderState:
    """Check out and let everything come to an end: how the order then stands."""
    order_id = order_of(basket_id)
    try:
        orders.check_out(basket_id=basket_id, expected_total=total, card_token=card())
    except CheckoutFailed:
        pass
    scenario.settle(Checkout, key=str(order_id))
    scenario.run_until_idle()
    return orders.order(order_id=order_id).state


def assert_all_or_nothing(state: OrderState) -> None:
    """Paid with one article gone, or nothing taken and nothing gone."""
    kept = sum(
        charge.amount.amount - charge.refunded.amount
        for charge in books()
        if charge.state == "captured"
    )
    assert not [charge for charge in books() if charge.state == "authorised"], "money set aside"
    if state in (OrderState.CANCELLED, OrderState.FAILED):
        assert (kept, available()) == (0, 10), state
    else:
        assert state in (OrderState.PAID, OrderState.SHIPPED)
        assert (kept, available()) == (1200, 9), state
    for line in use(Payments).ledger_balance():
        assert abs(line.balance.amount) == kept


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[1])
def test_a_cancellation_meanwhile(scenario: Scenario, place: tuple[Any, str]) -> None:
    shelve()
    basket_id = basket_with()
    order_id, total = order_of(basket_id), total_of(basket_id)
    with meanwhile(place, lambda: orders.cancel(order_id=order_id), wait=True):
        state = buy(basket_id, total, scenario)
    assert_all_or_nothing(state)
    if state is OrderState.CANCELLED:
        assert use(Shipping).shipment(order_id=order_id).state is ShipmentState.CANCELLED


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[1])
def test_a_change_meanwhile(scenario: Scenario, place: tuple[Any, str]) -> None:
    shelve()
    basket_id = basket_with()
    order_id, total = order_of(basket_id), total_of(basket_id)
    refused: list[OrderId] = []

    def change() -> None:
        try:
            orders.set_quantity(basket_id=basket_id, sku="MUG", quantity=2)
        except BasketClosed as error:
            refused.append(error.order_id)

    with meanwhile(place, change, wait=True):
        state = buy(basket_id, total, scenario)
    assert refused == [order_id]
    assert_all_or_nothing(state)
    assert [line.quantity for line in orders.basket(basket_id=basket_id).lines] == [1]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[1])
def test_a_sign_in_meanwhile(scenario: Scenario, place: tuple[Any, str]) -> None:
    shelve()
    basket_id, own, customer = basket_with(), BasketId(uuid4()), uuid4()
    orders.claim_basket(basket_id=own, customer_id=customer)
    total = total_of(basket_id)
    claimed: list[BasketId] = []

    def sign_in() -> None:
        claimed.append(orders.claim_basket(basket_id=basket_id, customer_id=customer))

    with meanwhile(place, sign_in, wait=True):
        state = buy(basket_id, total, scenario)
    assert claimed == [own]
    assert_all_or_nothing(state)
    assert not orders.basket(basket_id=own).lines


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[1])
def test_the_hold_expires_meanwhile(scenario: Scenario, place: tuple[Any, str]) -> None:
    shelve()
    basket_id = basket_with()
    total = total_of(basket_id)
    with meanwhile(place, lambda: Scenario().travel(minutes=20), wait=True):
        state = buy(basket_id, total, scenario)
    assert_all_or_nothing(state)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[1])
def test_a_twin_meanwhile(scenario: Scenario, place: tuple[Any, str]) -> None:
    shelve()
    basket_id = basket_with()
    total, token = total_of(basket_id), card()

    def twin() -> None:
        orders.check_out(basket_id=basket_id, expected_total=total, card_token=token)

    with meanwhile(place, twin, wait=False):
        state = buy(basket_id, total, scenario)
    assert_all_or_nothing(state)
    assert len(books()) == 1


@pytest.mark.parametrize("canceller", ["cancel", "hand over"])
def test_cancelled_by_three_at_once(scenario: Scenario, canceller: str) -> None:
    shelve()
    basket_id = basket_with()
    order = orders.check_out(
        basket_id=basket_id, expected_total=total_of(basket_id), card_token=card()
    )
    barrier = threading.Barrier(3)

    def cancel() -> None:
        barrier.wait(10)
        orders.cancel(order_id=order.id)

    def hand_over() -> None:
        barrier.wait(10)
        Scenario().travel(minutes=5)

    acts = [cancel, cancel, hand_over if canceller == "hand over" else cancel]
    for thread in [in_a_thread(act) for act in acts]:
        thread.join()
    for _ in range(3):
        scenario.travel(minutes=2)
    assert_all_or_nothing(orders.order(order_id=order.id).state)
