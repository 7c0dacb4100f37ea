"""Payments and the ledger: what payments promises to whoever calls it."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import settings as django_settings

from modules.payments import models
from modules.payments.interface import (
    CardDeclined,
    InvalidAmount,
    InvalidCard,
    NotCapturable,
    PaymentNotFound,
    Payments,
    PaymentState,
    RefundTooLarge,
)
from modules.payments.provider import sandbox
from monolift import Money, Unavailable, use
from monolift.testing.statements import statements
from tests.shop import ANSWER_LOST, DECLINED, GOOD, NO_FUNDS, assert_books_balance, card, charges

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", "loopback", fake=Payments),
]
payments = use(Payments)
TEN = Money(1000, "EUR")


def authorise(amount: Money = TEN, *, number: str = GOOD, reference: UUID | None = None) -> UUID:
    """Authorise a payment; its reference."""
    reference = reference or uuid4()
    payments.authorise(reference=reference, amount=amount, card_token=card(number))
    return reference


def captured(amount: Money = TEN) -> UUID:
    """A captured payment's reference."""
    reference = authorise(amount)
    payments.capture(reference=reference)
    return reference


def ledger() -> dict[tuple[str, str], int]:
    """Balances by account and currency; they must sum to zero."""
    assert_books_balance()
    return {
        (line.account, line.balance.currency): line.balance.amount
        for line in payments.ledger_balance()
    }


def test_tokens_are_made_without_a_statement() -> None:
    with statements() as seen:
        token = card()
    assert token.startswith("tok_")
    assert seen == []


@pytest.mark.topologies("local", "loopback")
def test_the_number_is_kept_nowhere() -> None:
    card(GOOD)
    payments.authorise(reference=uuid4(), amount=TEN, card_token=card(GOOD))
    folder = Path(django_settings.PAYMENTS["SANDBOX_FILE"]).parent
    files = list(folder.glob("sandbox.sqlite3*"))
    assert files
    for file in files:
        assert GOOD.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("number", "expiry", "cvc"),
    [
        ("4242424242424241", "12/40", "123"),
        ("5555555555554444", "12/40", "123"),
        (GOOD, "12/20", "123"),
        (GOOD, "12/40", "1"),
    ],
)
def test_a_bad_card_is_refused_without_repeating_it(number: str, expiry: str, cvc: str) -> None:
    with pytest.raises(InvalidCard) as refused:
        payments.tokenise(number=number, expiry=expiry, cvc=cvc)
    assert number not in str(refused.value)
    assert number not in repr(refused.value.__dict__)


@pytest.mark.inside
def test_an_authorisation_sets_money_aside_and_writes_no_ledger() -> None:
    payment = payments.authorise(reference=uuid4(), amount=TEN, card_token=card())
    assert (payment.state, payment.amount) == (PaymentState.AUTHORISED, TEN)
    assert charges() == [("authorised", 1000)]
    assert ledger() == {}


@pytest.mark.topologies("local", "loopback")
def test_authorising_twice_sets_aside_once() -> None:
    reference, token = uuid4(), card()
    for _ in range(2):
        payments.authorise(reference=reference, amount=TEN, card_token=token)
    assert charges() == [("authorised", 1000)]
    assert models.Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("number", "reason"), [(DECLINED, "declined it"), (NO_FUNDS, "not enough money")]
)
def test_a_declined_card_leaves_nothing(number: str, reason: str) -> None:
    reference, token = uuid4(), card(number)
    for _ in range(2):
        with pytest.raises(CardDeclined, match=reason):
            payments.authorise(reference=reference, amount=TEN, card_token=token)
    assert charges() == []
    with pytest.raises(PaymentNotFound):
        payments.payment(reference=reference)


def test_an_unknown_token_is_declined() -> None:
    with pytest.raises(CardDeclined, match="token"):
        payments.authorise(reference=uuid4(), amount=TEN, card_token="tok_none")


@pytest.mark.topologies("local", "loopback")
def test_a_lost_answer_is_found_by_asking_again() -> None:
    reference, token = uuid4(), card(ANSWER_LOST)
    with pytest.raises(Unavailable):
        payments.authorise(reference=reference, amount=TEN, card_token=token)
    assert charges() == [("authorised", 1000)]
    payment = payments.authorise(reference=reference, amount=TEN, card_token=token)
    assert payment.state is PaymentState.AUTHORISED
    assert charges() == [("authorised", 1000)]


def test_a_negative_amount_is_refused() -> None:
    with pytest.raises(InvalidAmount):
        authorise(Money(-1, "EUR"))


@pytest.mark.inside
def test_capturing_twice_takes_and_posts_once() -> None:
    reference = authorise()
    for _ in range(2):
        payment = payments.capture(reference=reference)
        assert payment.state is PaymentState.CAPTURED
    assert charges() == [("captured", 1000)]
    assert ledger() == {
        ("assets:provider", "EUR"): 1000,
        ("liabilities:customers", "EUR"): -1000,
    }


@pytest.mark.topologies("local", "loopback")
def test_a_capture_takes_four_statements_and_one_posting_is_one_of_them() -> None:
    reference = authorise()
    with statements() as seen:
        payments.capture(reference=reference)
    assert len(seen) == 4, seen
    assert sum("payments_entry" in statement for statement in seen) == 1


@pytest.mark.inside
def test_a_voided_payment_cannot_be_captured() -> None:
    reference = authorise()
    for _ in range(2):
        payments.void(reference=reference)
    assert charges() == [("voided", 1000)]
    with pytest.raises(NotCapturable, match="voided"):
        payments.capture(reference=reference)


def test_voiding_nothing_or_too_late_is_harmless() -> None:
    payments.void(reference=uuid4())
    reference = captured()
    payments.void(reference=reference)
    assert payments.payment(reference=reference).state is PaymentState.CAPTURED


def test_what_does_not_exist_cannot_be_captured_or_refunded() -> None:
    with pytest.raises(PaymentNotFound):
        payments.capture(reference=uuid4())
    with pytest.raises(PaymentNotFound):
        payments.refund(reference=uuid4(), refund_reference=uuid4(), amount=TEN)


@pytest.mark.topologies("local", "loopback")
def test_a_refund_happens_once_per_reference() -> None:
    reference, refund = captured(), uuid4()
    for _ in range(2):
        payment = payments.refund(
            reference=reference, refund_reference=refund, amount=Money(400, "EUR")
        )
        assert payment.refunded == Money(400, "EUR")
    assert ledger()["assets:provider", "EUR"] == 600
    assert sandbox.SandboxProvider().charges()[0].refunded == Money(400, "EUR")


def test_refunds_never_exceed_what_was_captured() -> None:
    reference = captured()
    payments.refund(reference=reference, refund_reference=uuid4(), amount=Money(999, "EUR"))
    with pytest.raises(RefundTooLarge, match=r"At most 0\.01 EUR"):
        payments.refund(reference=reference, refund_reference=uuid4(), amount=Money(2, "EUR"))
    payments.refund(reference=reference, refund_reference=uuid4(), amount=Money(1, "EUR"))
    assert ledger()["assets:provider", "EUR"] == 0


def test_what_was_not_captured_cannot_be_refunded() -> None:
    reference = authorise()
    with pytest.raises(RefundTooLarge):
        payments.refund(reference=reference, refund_reference=uuid4(), amount=TEN)


@pytest.mark.parametrize("amount", [Money(0, "EUR"), Money(-1, "EUR"), Money(1, "USD")])
def test_a_refund_is_sensible(amount: Money) -> None:
    reference = captured()
    with pytest.raises(InvalidAmount):
        payments.refund(reference=reference, refund_reference=uuid4(), amount=amount)


def test_currencies_are_kept_apart() -> None:
    captured(Money(1000, "EUR"))
    captured(Money(500, "JPY"))
    assert ledger() == {
        ("assets:provider", "EUR"): 1000,
        ("assets:provider", "JPY"): 500,
        ("liabilities:customers", "EUR"): -1000,
        ("liabilities:customers", "JPY"): -500,
    }


@pytest.mark.topologies("local", "loopback")
def test_the_ledger_can_only_grow() -> None:
    captured()
    entry = models.Entry.objects.first()
    assert entry is not None
    with pytest.raises(models.LedgerIsAppendOnly):
        entry.save()
    with pytest.raises(models.LedgerIsAppendOnly):
        entry.delete()
    with pytest.raises(models.LedgerIsAppendOnly):
        models.Entry.objects.update(amount=0)
    with pytest.raises(models.LedgerIsAppendOnly):
        models.Entry.objects.filter(account="x").delete()


@pytest.mark.topologies("local", "loopback")
def test_the_providers_books_survive_a_restart() -> None:
    authorise()
    assert [charge.state for charge in sandbox.SandboxProvider().charges()] == ["authorised"]
