"""What payments provides."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol
from uuid import UUID

from monolift.kernel import DomainError, Dto, Interface, Money, command, query

PaymentId = NewType("PaymentId", UUID)
ChallengeId = NewType("ChallengeId", UUID)


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


class RefundReused(DomainError, status=422):
    """The refund {refund_reference} was for another payment or amount: use a new reference."""

    refund_reference: UUID


class ChallengeNotFound(DomainError, status=404):
    """There is no authentication {challenge_id}."""

    challenge_id: UUID


class PaymentState(StrEnum):
    """The life of a payment. A declined one never began."""

    AUTHORISED = "authorised"
    CAPTURED = "captured"
    VOIDED = "voided"


class Refund(Dto):
    """Money given back: how much, when, and what for."""

    reference: UUID
    amount: Money
    at: datetime


class Payment(Dto):
    """A payment as others see it. `refunded` is the sum of `refunds`, which come oldest first."""

    id: PaymentId
    reference: UUID
    state: PaymentState
    amount: Money
    refunded: Money
    refunds: tuple[Refund, ...] = ()


class ChallengeState(StrEnum):
    """Where an authentication stands. `passed` and `failed` are final."""

    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"


class Challenge(Dto):
    """The cardholder's bank asks for a proof of identity (EMV 3-D Secure), on its page at `url`.

    The customer agrees to pay at most `amount` there, once.
    """

    id: ChallengeId
    url: str
    reference: UUID
    amount: Money
    state: ChallengeState


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

    @command(timeout=10, raises=InvalidAmount, external=True, keyed=False)
    def challenge(self, *, card_token: str, amount: Money, reference: UUID) -> Challenge | None:
        """Ask whether the card's bank wants its customer to authenticate; None when it does not.

        Asking again for the same reference, card and amount gives the same challenge, until it
        failed or its authentication was used. `reference` is the caller's, for finding the way back
        from the bank's page; it need not be the one that is authorised.
        """
        ...

    @command(timeout=10, raises=ChallengeNotFound, external=True, keyed=False)
    def answer_challenge(self, *, challenge_id: UUID, passed: bool) -> None:
        """Report what the bank's page found. The first answer counts; a later one is harmless.

        For the sandbox's bank only: a real bank tells the provider, and this is refused.
        """
        ...

    @query(timeout=5, raises=ChallengeNotFound)
    def challenge_state(self, *, challenge_id: UUID) -> ChallengeState:
        """Whether the customer has authenticated."""
        ...

    @query(timeout=5, raises=ChallengeNotFound)
    def challenge_details(self, *, challenge_id: UUID) -> Challenge:
        """What the customer is asked to agree to, and where that stands."""
        ...

    @command(timeout=10, raises=(CardDeclined, InvalidAmount), external=True)
    def authorise(self, *, reference: UUID, amount: Money, card_token: str) -> Payment:
        """Set the amount aside on the card. Once per reference, declined or not.

        Another card is another attempt: give it a reference of its own. A card whose bank wants
        its customer to authenticate is declined until a challenge for at least this amount passed;
        one authentication is good for one authorisation.
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

    @command(
        timeout=10,
        raises=(PaymentNotFound, RefundTooLarge, RefundReused, InvalidAmount),
        external=True,
    )
    def refund(self, *, reference: UUID, refund_reference: UUID, amount: Money) -> Payment:
        """Give back captured money, all or part of it, once per `refund_reference`.

        Several refunds together never exceed what was captured.
        """
        ...

    @query(timeout=2, raises=PaymentNotFound)
    def payment(self, *, reference: UUID) -> Payment:
        """The payment for `reference`."""
        ...

    @query(timeout=10)
    def ledger_balance(self) -> Sequence[AccountBalance]:
        """Every account of the ledger; in each currency the balances sum to zero."""
        ...
