"""The ledger balances after any sequence of captures and refunds."""

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.payments import models
from modules.payments.interface import AccountBalance, Payments, RefundTooLarge
from monolift import Money, use
from tests.shop import books, card

payments = use(Payments)
AMOUNTS = st.integers(1, 10**12)


@pytest.mark.django_db(databases="__all__")
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sales=st.lists(
        st.tuples(st.sampled_from(["EUR", "JPY", "KWD"]), AMOUNTS, st.lists(AMOUNTS, max_size=3)),
        max_size=4,
    )
)
def test_every_posting_sums_to_zero(sales: list[tuple[str, int, list[int]]]) -> None:
    before = {(line.account, line.balance.currency): line.balance for line in balances()}
    expected: dict[str, int] = {}
    for currency, amount, refunds in sales:
        reference = uuid4()
        payments.authorise(reference=reference, amount=Money(amount, currency), card_token=card())
        payments.capture(reference=reference)
        kept = amount
        for refund in refunds:
            try:
                payments.refund(
                    reference=reference, refund_reference=uuid4(), amount=Money(refund, currency)
                )
            except RefundTooLarge:
                assert refund > kept
            else:
                kept -= refund
        expected[currency] = expected.get(currency, 0) + kept
        charge = books()[-1]
        assert (charge.amount - charge.refunded).amount == kept
    postings: dict[tuple[object, str], int] = {}
    for entry in models.Entry.objects.all():
        key = (entry.posting, entry.currency)
        postings[key] = postings.get(key, 0) + entry.amount
    assert not any(postings.values())
    for line in balances():
        grown = line.balance.amount
        known = before.get((line.account, line.balance.currency))
        grown -= known.amount if known else 0
        sign = 1 if line.account == models.Entry.Account.PROVIDER else -1
        assert grown == sign * expected.get(line.balance.currency, 0)


def balances() -> list[AccountBalance]:
    """The ledger's balances."""
    return list(payments.ledger_balance())
