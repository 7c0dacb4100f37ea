"""Refunds: several of one payment, each on record, never more than was captured."""

from datetime import UTC
from uuid import UUID, uuid4

import pytest

from modules.payments.interface import Payment, Payments, RefundReused, RefundTooLarge
from monolift import Money, use
from monolift.kernel import clock
from monolift.testing.statements import statements
from tests.shop import assert_books_balance, books, card

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", "loopback", fake=Payments),
]
payments = use(Payments)
TEN = Money(1000, "EUR")


def captured(amount: Money = TEN) -> UUID:
    """A captured payment's reference."""
    reference = uuid4()
    payments.authorise(reference=reference, amount=amount, card_token=card())
    payments.capture(reference=reference)
    return reference


def give_back(payment: UUID, cents: int, *, refund: UUID | None = None) -> Payment:
    """Refund so much of a payment."""
    return payments.refund(
        reference=payment, refund_reference=refund or uuid4(), amount=Money(cents, "EUR")
    )


@pytest.mark.topologies("local", "loopback")
def test_a_payment_shows_its_refunds_the_oldest_first() -> None:
    reference, refunds = captured(), [uuid4(), uuid4(), uuid4()]
    assert payments.payment(reference=reference).refunds == ()
    before = clock.now()
    for cents, refund in zip((300, 1, 699), refunds, strict=True):
        give_back(reference, cents, refund=refund)
    shown = payments.payment(reference=reference)
    assert [one.reference for one in shown.refunds] == refunds
    assert [one.amount for one in shown.refunds] == [Money(cents, "EUR") for cents in (300, 1, 699)]
    assert before <= shown.refunds[0].at <= shown.refunds[2].at <= clock.now()
    assert shown.refunds[0].at.tzinfo is UTC
    assert shown.refunded == TEN == books()[0].refunded
    assert_books_balance()


def test_refunds_of_another_payment_are_not_shown() -> None:
    one, other = captured(), captured()
    give_back(one, 100)
    shown = give_back(other, 200)
    assert [refund.amount.amount for refund in shown.refunds] == [200]


def test_a_repeated_refund_answers_with_what_was_refunded_since() -> None:
    reference, refund = captured(), uuid4()
    give_back(reference, 100, refund=refund)
    give_back(reference, 200)
    again = give_back(reference, 100, refund=refund)
    assert again == payments.payment(reference=reference)
    assert (again.refunded, len(again.refunds)) == (Money(300, "EUR"), 2)


@pytest.mark.topologies("local", "loopback")
@pytest.mark.parametrize(("other", "cents"), [(False, 101), (True, 100)])
def test_a_refund_reference_is_for_one_refund(other: bool, cents: int) -> None:
    reference, refund = captured(), uuid4()
    give_back(reference, 100, refund=refund)
    with pytest.raises(RefundReused, match=str(refund)):
        give_back(captured() if other else reference, cents, refund=refund)
    assert sum(charge.refunded.amount for charge in books()) == 100


def test_what_is_left_is_said() -> None:
    reference = captured()
    give_back(reference, 400)
    with pytest.raises(RefundTooLarge, match=r"At most 6\.00 EUR"):
        give_back(reference, 601)
    assert give_back(reference, 600).refunded == TEN
    with pytest.raises(RefundTooLarge, match=r"At most 0\.00 EUR"):
        give_back(reference, 1)


@pytest.mark.topologies("local", "loopback")
def test_a_payment_without_refunds_is_one_statement_and_with_them_two() -> None:
    reference = captured()
    with statements() as without:
        payments.payment(reference=reference)
    for _ in range(3):
        give_back(reference, 1)
    with statements() as with_them:
        payments.payment(reference=reference)
    assert (len(without), len(with_them)) == (1, 2)
