"""What payments provides."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NewType, Protocol
from uuid import UUID

from monolift.kernel import DomainError, Dto, Interface, Money, command, query

PaymentId = NewType("PaymentId", UUID)


class CardDeclined(DomainError, status=402):
    """The card was declined: {reason}."""

    reason: str


class InvalidCard(DomainError, status=422):
    """The card details are not valid: {problem}."""

    problem: str


class PaymentNotFound(DomainError, status=404):
    """There is no payment for {reference}."""

    reference: UUID


class NotCapturable(DomainError, status=409):
    """The payment for {reference} is {state}, so it cannot be captured."""

    reference: UUID
    state: str


class RefundTooLarge(DomainError, status=409):
    """At most {refundable} of this payment can be given back."""

    reference: UUID
    refundable: Money


class InvalidAmount(DomainError, status=422):
    """{amount} cannot be charged or given back here."""

    amount: Money


class PaymentState(StrEnum):
    """The life of a payment. A declined one never began."""

    AUTHORISED = "authorised"
    CAPTURED = "captured"
    VOIDED = "voided"


class Payment(Dto):
    """A payment as others see it."""

    id: PaymentId
    reference: UUID
    state: PaymentState
    amount: Money
    refunded: Money


class AccountBalance(Dto):
    """What stands on an account of the ledger, in one currency: debits less credits."""

    account: str
    balance: Money


class Payments(Interface, Protocol, version=1):
    """Authorise, capture, void and refund through the payment provider.

    `reference` names what is paid for; there is one payment for it.
    """

    @command(timeout=10, raises=InvalidCard, external=True, keyed=False)
    def tokenise(self, *, number: str, expiry: str, cvc: str) -> str:
        """Exchange card details for a token that is safe to store.

        `expiry` is MM/YY. Doing it again gives another token and has no other effect.
        """
        ...

    @command(timeout=10, raises=(CardDeclined, InvalidAmount), external=True)
    def authorise(self, *, reference: UUID, amount: Money, card_token: str) -> Payment:
        """Set the amount aside on the card. Once per reference, declined or not.

        Another card is another attempt: give it a reference of its own.
        """
        ...

    @command(timeout=10, raises=(PaymentNotFound, NotCapturable), external=True)
    def capture(self, *, reference: UUID) -> Payment:
        """Take the authorised amount. Capturing twice takes it once."""
        ...

    @command(timeout=10, external=True)
    def void(self, *, reference: UUID) -> None:
        """Let go of an authorisation that was not captured; none to let go of is harmless."""
        ...

    @command(timeout=10, raises=(PaymentNotFound, RefundTooLarge, InvalidAmount), external=True)
    def refund(self, *, reference: UUID, refund_reference: UUID, amount: Money) -> Payment:
        """Give back captured money, once per `refund_reference`."""
        ...

    @query(timeout=2, raises=PaymentNotFound)
    def payment(self, *, reference: UUID) -> Payment:
        """The payment for `reference`."""
        ...

    @query(timeout=10)
    def ledger_balance(self) -> Sequence[AccountBalance]:
        """Every account of the ledger; in each currency the balances sum to zero."""
        ...
