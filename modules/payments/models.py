"""Payments' tables: payments, refunds, and the ledger.

The ledger is double-entry: every posting is a set of entries that sum to zero in each currency.
Entries are only ever added; a mistake is corrected by another posting.
"""

from typing import Any, NoReturn

from django.db import models
from django.db.models import F, Q


class Payment(models.Model):
    """What is taken from a card for one reference, in minor units."""

    class State(models.TextChoices):
        """See `PaymentState`."""

        AUTHORISED = "authorised"
        CAPTURED = "captured"
        VOIDED = "voided"

    reference = models.UUIDField(primary_key=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.AUTHORISED)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    refunded = models.BigIntegerField(default=0)
    charge = models.CharField(max_length=100)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded__lte=F("amount")),
                name="payments_refunds_within_amount",
            ),
        )

    def __str__(self) -> str:
        return f"{self.state} for {self.reference}"


class Refund(models.Model):
    """Money given back, once per reference."""

    reference = models.UUIDField(primary_key=True)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.reference)


class LedgerIsAppendOnly(TypeError):
    """An entry was to be changed or deleted. Post a correction instead."""


class Entries(models.QuerySet["Entry"]):
    """Entries can be added and read."""

    def update(self, **_: Any) -> NoReturn:
        """Refused."""
        raise LedgerIsAppendOnly("Ledger entries never change: post a correction.")

    def delete(self) -> NoReturn:
        """Refused."""
        raise LedgerIsAppendOnly("Ledger entries are never deleted: post a correction.")


class Entry(models.Model):
    """One side of a posting: a debit is above zero, a credit below, in minor units."""

    class Account(models.TextChoices):
        """The chart of accounts."""

        PROVIDER = "assets:provider", "What the payment provider owes us"
        CUSTOMERS = "liabilities:customers", "What customers paid for"

    posting = models.UUIDField()
    account = models.CharField(max_length=40, choices=Account.choices)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reference = models.UUIDField(db_index=True)
    posted_at = models.DateTimeField()

    objects = Entries.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        constraints = (
            # A posting that is repeated by mistake fails instead of counting twice.
            models.UniqueConstraint(
                fields=["posting", "account", "currency"], name="payments_posting_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} on {self.account}"

    def save(self, *args: Any, **options: Any) -> None:
        """Add the entry; a stored one is refused."""
        if not self._state.adding:
            raise LedgerIsAppendOnly("Ledger entries never change: post a correction.")
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        """Refused."""
        raise LedgerIsAppendOnly("Ledger entries are never deleted: post a correction.")
