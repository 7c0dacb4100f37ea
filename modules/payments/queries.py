"""Reads of payments."""

from uuid import UUID

from django.db.models import Sum

from modules.payments import models
from modules.payments.interface import (
    AccountBalance,
    Payment,
    PaymentId,
    PaymentNotFound,
    PaymentState,
    Refund,
)
from monolift.kernel import Money


def row(*, reference: UUID) -> models.Payment:
    """The stored payment. Raises PaymentNotFound."""
    found = models.Payment.objects.filter(reference=reference).first()
    if found is None:
        raise PaymentNotFound(reference=reference)
    return found


def shown(payment: models.Payment) -> Payment:
    """A payment as others see it. One that was never refunded is asked for no refunds.

    The sum is that of the refunds shown: another may have come since the payment was read.
    """
    refunds = list(payment.refunds.order_by("created_at", "reference")) if payment.refunded else []
    return Payment(
        id=PaymentId(payment.reference),
        reference=payment.reference,
        state=PaymentState(payment.state),
        amount=Money(payment.amount, payment.currency),
        refunded=Money(sum(refund.amount for refund in refunds), payment.currency),
        refunds=tuple(
            Refund(
                reference=refund.reference,
                amount=Money(refund.amount, payment.currency),
                at=refund.created_at,
            )
            for refund in refunds
        ),
    )


def ledger_balance() -> tuple[AccountBalance, ...]:
    """Debits less credits of every account and currency."""
    rows = (
        models.Entry.objects.values_list("account", "currency")
        .annotate(balance=Sum("amount"))
        .order_by("account", "currency")
    )
    return tuple(
        AccountBalance(account=account, balance=Money(int(balance), currency))
        for account, currency, balance in rows
    )
