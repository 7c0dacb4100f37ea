"""A checkout whose process is killed at any statement: afterwards money, stock and order agree."""

import os
import signal
import sys
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings

from modules.orders.interface import BasketId, Order, Orders, OrderState
from modules.payments.interface import Payments
from monolift import Money, use
from monolift.kernel import clock
from monolift.testing.scenario import Scenario
from tests import shop
from tests.killing import STEP, killed_at, needs_strace

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

POINTS = 2000
"""More than a checkout has of any kind; a sweep ends at the first point that is not reached."""

WRITES = ("pwrite64", "fdatasync", "unlink", "write", "sendto", "recvfrom")
"""What a process does to a file of SQLite, to its log and to a server; the last before it hears
what the server did."""


def check_out(basket_id: BasketId, total: Money, token: str) -> Order:
    """What the customer asks, and asks again when no answer came."""
    return use(Orders).check_out(basket_id=basket_id, expected_total=total, card_token=token)


def killed(at: int, basket_id: BasketId, total: Money, token: str) -> bool:
    """Check out in a child that dies before its `at`-th statement; False when it got through."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        count = 0

        def kill(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal count
            count += 1
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(sql, params, many, context)

        status = 1
        try:
            for connection in connections.all():
                connection.execute_wrappers.append(kill)
            check_out(basket_id, total, token)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child raised"
    return os.WIFSIGNALED(status)


def assert_finished_once(
    basket_id: BasketId, total: Money, token: str, *, died: int, where: str
) -> None:
    """Ask again, as the customer would: one order, one charge, one article gone."""
    with clock.travelling():
        clock.travel(timedelta(seconds=61))  # past every lease, before the hold lapses
        order = check_out(basket_id, total, token)
        Scenario().run_until_idle()
        again = check_out(basket_id, total, token)
    assert order.id == again.id
    assert again.state is OrderState.PAID, f"killed {where}: {again}"
    assert shop.charges() == [("captured", total.amount)] * died, f"killed {where}"
    assert shop.available() == POINTS - died, f"killed {where}"
    assert sum(entry.balance.amount for entry in use(Payments).ledger_balance()) == 0


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "unfused"])
def test_a_killed_checkout_is_finished_once(fused: bool, settings: Settings) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "FUSION": fused}
    shop.shelve(quantity=POINTS)
    token = shop.card()
    died = 0
    for at in range(1, POINTS):
        basket_id = shop.basket_with()
        total = shop.total_of(basket_id)
        if not killed(at, basket_id, total, token):
            break
        died += 1
        assert_finished_once(basket_id, total, token, died=died, where=f"at statement {at}")
    else:
        raise AssertionError("the sweep did not come to the end of the checkout")
    assert died > 15, "a checkout has more statements than that"


@needs_strace
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "unfused"])
def test_a_checkout_killed_at_a_write_is_finished_once(fused: bool, settings: Settings) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "FUSION": fused}
    shop.shelve(quantity=POINTS)
    token = shop.card()
    points = dict.fromkeys(WRITES, 0)
    bought = 0
    for call in WRITES:
        for at in range(1, POINTS, STEP):
            basket_id = shop.basket_with()
            total = shop.total_of(basket_id)
            died = killed_at(call, at, partial(check_out, basket_id, total, token))
            bought += 1
            assert_finished_once(basket_id, total, token, died=bought, where=f"at {call} {at}")
            if not died:
                break
            points[call] += 1
    sys.stderr.write(f"killed at {sum(points.values())} writes: {points}\n")
    assert sum(points.values()) >= 40 // STEP, points
