"""Buyers who send their orders for the last article at the same moment, over REST."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from tests.journeys.client import Customer
from tests.shop import assert_books_balance, available, charges, shelve

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
BUYERS = 4


def test_one_of_several_gets_it_and_nobody_else_pays() -> None:
    shelve(quantity=1)
    buyers = [Customer() for _ in range(BUYERS)]
    for buyer in buyers:
        buyer.add()
        buyer.give_address()
    ready = [(buyer, buyer.total(), buyer.token()) for buyer in buyers]
    barrier = threading.Barrier(BUYERS)

    def order(number: int) -> tuple[int, str]:
        buyer, total, token = ready[number]
        try:
            barrier.wait(10)
            answer = buyer.order(total=total, token=token)
            return answer.status_code, answer.json().get("detail", "")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(BUYERS) as pool:
        answers = sorted(pool.map(order, range(BUYERS)))
    assert answers == [(201, ""), *[(409, "Only 0 of MUG are left.")] * (BUYERS - 1)]
    assert charges() == [("captured", 1200)]
    assert available() == 0
    assert_books_balance()
