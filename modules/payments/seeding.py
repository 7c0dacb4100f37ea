"""Past payments by the million; see `manage.py seed`."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from modules.payments.models import Entry, Payment, Refund
from modules.payments.provider import provider
from modules.payments.provider.sandbox import SandboxProvider
from monolift import atomic
from monolift.db.rows import insert_rows

_LAST4 = "4242"
_PROVIDER = Entry.Account.PROVIDER.value
_CUSTOMERS = Entry.Account.CUSTOMERS.value


class NoBooks(Exception):
    """The provider is a real one: nothing can be entered into its books."""


class PastPayment(NamedTuple):
    """An amount in minor units that was captured; with `refund`, given back under that id."""

    reference: UUID
    amount: int
    currency: str
    at: datetime
    refund: UUID | None


class _Books(SandboxProvider):
    """The sandbox's books, to enter what it never did."""

    def enter(self, charges: Sequence[tuple[str, int, str, int]]) -> None:
        """Enter captured charges: (id, amount, currency, refunded). A known one stays as it is."""
        with self._transaction() as books:
            books.executemany(
                "INSERT OR IGNORE INTO charge (id, state, amount, currency, refunded, last4) "
                "VALUES (?, 'captured', ?, ?, ?, ?)",
                [(*charge, _LAST4) for charge in charges],
            )

    def close(self) -> None:
        """Close the file."""
        if isinstance(self._connection, sqlite3.Connection):
            self._connection.close()
            self._connection = None


def check() -> None:
    """Raise NoBooks unless the provider is the sandbox."""
    if not isinstance(provider(), SandboxProvider):
        raise NoBooks(
            "Past payments can only be made up in the sandbox, and PAYMENTS['PROVIDER'] is "
            f"{type(provider()).__name__}. Use settings with the sandbox provider."
        )


def capture(payments: Sequence[PastPayment]) -> None:
    """Note past payments once per reference: here, in the ledger, in the sandbox's books."""
    check()
    _enter(payments)
    references = [one.reference for one in payments]
    with atomic():
        known = set(
            Payment.objects.filter(reference__in=references).values_list("reference", flat=True)
        )
        new = [one for one in payments if one.reference not in known]
        insert_rows(
            Payment,
            ("reference", "state", "amount", "currency", "refunded", "charge", "created_at"),
            (
                (
                    one.reference,
                    Payment.State.CAPTURED.value,
                    one.amount,
                    one.currency,
                    _refunded(one),
                    _charge(one),
                    one.at,
                )
                for one in new
            ),
        )
        insert_rows(
            Refund,
            ("reference", "payment_id", "amount", "created_at"),
            ((one.refund, one.reference, one.amount, one.at) for one in new if one.refund),
        )
        insert_rows(
            Entry,
            ("posting", "account", "amount", "currency", "reference", "posted_at"),
            (entry for one in new for entry in _entries(one)),
        )


def _enter(payments: Sequence[PastPayment]) -> None:
    books = _Books()
    try:
        books.enter([(_charge(one), one.amount, one.currency, _refunded(one)) for one in payments])
    finally:
        books.close()


def _entries(payment: PastPayment) -> Iterator[tuple[Any, ...]]:
    captured = uuid5(payment.reference, "capture")
    yield _entry(payment, captured, _PROVIDER, payment.amount)
    yield _entry(payment, captured, _CUSTOMERS, -payment.amount)
    if payment.refund is not None:
        yield _entry(payment, payment.refund, _CUSTOMERS, payment.amount)
        yield _entry(payment, payment.refund, _PROVIDER, -payment.amount)


def _entry(payment: PastPayment, posting: UUID, account: str, amount: int) -> tuple[Any, ...]:
    return (posting, account, amount, payment.currency, payment.reference, payment.at)


def _refunded(payment: PastPayment) -> int:
    return 0 if payment.refund is None else payment.amount


def _charge(payment: PastPayment) -> str:
    return f"ch_seed_{payment.reference.hex}"
