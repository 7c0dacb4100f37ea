"""The same payment in several hands at once: real threads, real commits."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from django.db import connections

from modules.payments.interface import Payments, RefundTooLarge
from monolift import Money, use
from tests.shop import assert_books_balance, books, card

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
payments = use(Payments)
TEN = Money(1000, "EUR")


def at_once(count: int, act: Callable[[], object]) -> list[str]:
    """Let so many threads act at the same moment; what each of them got."""
    barrier = threading.Barrier(count)

    def one(_: int) -> str:
        try:
            barrier.wait(10)
            act()
        except RefundTooLarge:
            return "too large"
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(one, range(count)))


def captured() -> UUID:
    """A captured payment."""
    reference = uuid4()
    payments.authorise(reference=reference, amount=TEN, card_token=card())
    payments.capture(reference=reference)
    return reference


def owed() -> int:
    """What the ledger says the provider owes us."""
    assert_books_balance()
    return sum(
        line.balance.amount
        for line in payments.ledger_balance()
        if line.account == "assets:provider"
    )


def test_captures_at_once_post_once() -> None:
    reference = uuid4()
    payments.authorise(reference=reference, amount=TEN, card_token=card())
    assert at_once(4, lambda: payments.capture(reference=reference)) == ["done"] * 4
    assert owed() == 1000


def test_refunds_of_one_reference_at_once_give_back_once() -> None:
    reference, refund = captured(), uuid4()

    def give_back() -> None:
        amount = Money(700, "EUR")
        after = payments.refund(reference=reference, refund_reference=refund, amount=amount)
        assert (after.refunded, len(after.refunds)) == (amount, 1)

    assert at_once(8, give_back) == ["done"] * 8
    assert owed() == 300
    assert books()[0].refunded == Money(700, "EUR")


def test_refunds_at_once_never_exceed_what_was_captured() -> None:
    reference = captured()

    def give_back() -> None:
        payments.refund(reference=reference, refund_reference=uuid4(), amount=Money(400, "EUR"))

    assert at_once(4, give_back) == ["done"] * 2 + ["too large"] * 2
    assert owed() == 200
    assert books()[0].refunded == Money(800, "EUR")


def test_fifty_refunds_at_once_give_back_to_the_cent_and_no_more() -> None:
    reference = captured()

    def give_back() -> None:
        payments.refund(reference=reference, refund_reference=uuid4(), amount=Money(30, "EUR"))

    assert at_once(50, give_back) == ["done"] * 33 + ["too large"] * 17
    shown = payments.payment(reference=reference)
    assert (shown.refunded, len(shown.refunds)) == (Money(990, "EUR"), 33)
    assert books()[0].refunded == Money(990, "EUR")
    assert owed() == 10
