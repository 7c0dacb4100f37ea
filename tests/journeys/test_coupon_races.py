"""A coupon for a few, used by many in the same moment, over REST."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest
from django.db import connections

from modules.pricing.interface import Coupon, Pricing
from monolift import use
from tests.journeys.client import Customer
from tests.shop import assert_books_balance, available, charges, shelve

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
BUYERS, AT_ONCE, LIMIT = 50, 5, 3


def test_fifty_buyers_with_a_coupon_for_three() -> None:
    shelve(quantity=BUYERS)
    use(Pricing).set_coupons(coupons=[Coupon(code="FEW", percent=50, limit=LIMIT)])
    ready = []
    for _ in range(BUYERS):
        buyer = Customer()
        buyer.add()
        buyer.give_address()
        used = buyer.send("PUT", f"/baskets/{buyer.basket}/coupon", {"code": "few"})
        assert used.status_code == 204
        ready.append((buyer, buyer.total(), buyer.token()))
    barrier = threading.Barrier(AT_ONCE)

    def order(first: int) -> list[tuple[int, str]]:
        answers = []
        try:
            barrier.wait(10)
            for buyer, total, token in ready[first::AT_ONCE]:
                answer = buyer.order(total=total, token=token)
                answers.append((answer.status_code, answer.json().get("type", "")))
        finally:
            connections.close_all()
        return answers

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = sorted(chain.from_iterable(pool.map(order, range(AT_ONCE))))
    refused = (409, "urn:problem:orders.coupon_refused")
    assert answers == [(201, "")] * LIMIT + [refused] * (BUYERS - LIMIT)
    assert charges() == [("captured", 600)] * LIMIT
    assert available() == BUYERS - LIMIT
    assert_books_balance()
