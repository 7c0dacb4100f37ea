"""Baskets at sign-in: the guest's becomes the customer's, or moves into it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from modules.catalog.interface import Catalog
from modules.orders.interface import BasketEmpty, BasketId, Orders, OrderState
from monolift import use
from monolift.testing.scenario import Scenario
from tests.doubles import instead
from tests.shop import ADDRESS, basket_with, card, charges, left_under_way, shelve, total_of

pytestmark = pytest.mark.django_db(databases="__all__")
orders = use(Orders)


def contents(basket_id: BasketId) -> dict[str, int]:
    return {line.sku: line.quantity for line in orders.basket(basket_id=basket_id).lines}


@pytest.mark.topologies("local", "loopback", fake=Orders)
def test_a_guests_basket_becomes_the_customers() -> None:
    shelve()
    customer, basket_id = uuid4(), basket_with()
    assert orders.claim_basket(basket_id=basket_id, customer_id=customer) == basket_id
    assert orders.basket(basket_id=basket_id).customer_id == customer
    order = orders.check_out(
        basket_id=basket_id, expected_total=total_of(basket_id), card_token=card()
    )
    assert [one.id for one in orders.history(customer_id=customer).orders] == [order.id]


def test_two_baskets_become_one() -> None:
    shelve("MUG", quantity=200)
    shelve("BOWL")
    customer = uuid4()
    own, guest = BasketId(uuid4()), basket_with("MUG", quantity=60)
    orders.add_to_basket(basket_id=own, sku="MUG", quantity=50)
    orders.claim_basket(basket_id=own, customer_id=customer)
    orders.add_to_basket(basket_id=guest, sku="BOWL", quantity=2)
    assert orders.claim_basket(basket_id=guest, customer_id=customer) == own
    assert contents(own) == {"MUG": 99, "BOWL": 2}
    assert orders.basket(basket_id=own).address == ADDRESS
    assert contents(guest) == {}
    assert orders.claim_basket(basket_id=own, customer_id=customer) == own


def test_a_basket_is_full_when_it_is_full() -> None:
    skus = [f"S{number}" for number in range(52)]
    for sku in skus:
        shelve(sku, quantity=1)
    customer, own, guest = uuid4(), BasketId(uuid4()), BasketId(uuid4())
    for sku in skus[:49]:
        orders.add_to_basket(basket_id=own, sku=sku, quantity=1)
    orders.claim_basket(basket_id=own, customer_id=customer)
    for sku in skus[48:]:
        orders.add_to_basket(basket_id=guest, sku=sku, quantity=1)
    orders.claim_basket(basket_id=guest, customer_id=customer)
    assert len(contents(own)) == 50
    assert contents(own)["S48"] == 2


def test_another_customers_basket_stays_theirs() -> None:
    shelve()
    theirs, somebody = basket_with(), uuid4()
    orders.claim_basket(basket_id=theirs, customer_id=somebody)
    fresh = orders.claim_basket(basket_id=theirs, customer_id=uuid4())
    assert fresh != theirs
    assert contents(fresh) == {}
    assert orders.basket(basket_id=theirs).customer_id == somebody


def test_an_ordered_basket_stays_as_it_is() -> None:
    shelve()
    guest, customer = basket_with(), uuid4()
    order = orders.check_out(basket_id=guest, expected_total=total_of(guest), card_token=card())
    assert order.state is OrderState.PAID
    fresh = orders.claim_basket(basket_id=guest, customer_id=customer)
    assert fresh != guest
    assert contents(guest) == {"MUG": 1}


def test_a_basket_that_is_being_ordered_stays_as_it_is(scenario: Scenario) -> None:
    shelve()
    guest, own, customer = basket_with(), BasketId(uuid4()), uuid4()
    orders.claim_basket(basket_id=own, customer_id=customer)
    with left_under_way():
        order = orders.check_out(basket_id=guest, expected_total=total_of(guest), card_token=card())
    assert orders.claim_basket(basket_id=guest, customer_id=customer) == own
    scenario.travel(seconds=30)
    assert orders.order(order_id=order.id).state is OrderState.PAID
    assert (contents(guest), contents(own)) == ({"MUG": 1}, {})


def test_a_customers_basket_that_is_being_ordered_is_not_gone_on_with() -> None:
    shelve()
    own, customer = basket_with(), uuid4()
    orders.claim_basket(basket_id=own, customer_id=customer)
    with left_under_way():
        orders.check_out(basket_id=own, expected_total=total_of(own), card_token=card())
    guest = basket_with(quantity=2)
    assert orders.claim_basket(basket_id=guest, customer_id=customer) == guest
    assert (contents(own), contents(guest)) == ({"MUG": 1}, {"MUG": 2})


def test_what_is_moved_right_before_it_is_ordered_is_not_ordered() -> None:
    shelve()
    guest, own, customer = basket_with(), BasketId(uuid4()), uuid4()
    orders.claim_basket(basket_id=own, customer_id=customer)
    total = total_of(guest)

    def sign_in(real: Callable[..., Any], **arguments: Any) -> Any:
        assert orders.claim_basket(basket_id=guest, customer_id=customer) == own
        return real(**arguments)

    with instead(Catalog, labels=sign_in), pytest.raises(BasketEmpty):
        orders.check_out(basket_id=guest, expected_total=total, card_token=card())
    assert charges() == []
    assert contents(own) == {"MUG": 1}


def test_an_unknown_basket_becomes_the_customers_empty_one() -> None:
    customer, basket_id = uuid4(), BasketId(uuid4())
    assert orders.claim_basket(basket_id=basket_id, customer_id=customer) == basket_id
    assert orders.claim_basket(basket_id=BasketId(uuid4()), customer_id=customer) == basket_id


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_two_sign_ins_at_once_lose_nothing() -> None:
    shelve()
    shelve("BOWL")
    customer = uuid4()
    guests = [basket_with("MUG"), basket_with("BOWL")]
    barrier = threading.Barrier(2)

    def sign_in(number: int) -> BasketId:
        try:
            barrier.wait(10)
            return orders.claim_basket(basket_id=guests[number], customer_id=customer)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(sign_in, range(2)))
    last = orders.claim_basket(basket_id=BasketId(uuid4()), customer_id=customer)
    assert contents(last) == {"MUG": 1, "BOWL": 1}
