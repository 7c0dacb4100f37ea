"""Payments in memory, for the tests of modules that require it."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID, uuid4

import msgspec

from modules.payments.events import PaymentCaptured, PaymentRefunded
from modules.payments.interface import (
    AccountBalance,
    CardDeclined,
    Challenge,
    ChallengeId,
    ChallengeNotFound,
    ChallengeState,
    InvalidAmount,
    InvalidCard,
    NotCapturable,
    Payment,
    PaymentId,
    PaymentNotFound,
    Payments,
    PaymentState,
    Refund,
    RefundReused,
    RefundTooLarge,
)
from modules.payments.provider import cards
from monolift.kernel import Money, clock
from monolift.testing.announcing import announce

_DECLINED = {
    "4000000000000002": "your bank declined it",
    "4000000000009995": "there is not enough money on it",
}
_CHALLENGED = "4000000000003220"
_GOOD = {"4242424242424242", "4000000000000119", _CHALLENGED}


class FakePayments(Payments):
    """Knows the test cards of the sandbox."""

    def __init__(self) -> None:
        self._cards: dict[str, str] = {}
        self._challenges: dict[UUID, Challenge] = {}
        self._cards_of: dict[UUID, str] = {}
        self._used: set[UUID] = set()
        self._payments: dict[UUID, Payment] = {}
        self._declined: dict[UUID, str] = {}

    def books(self) -> list[Payment]:
        """Every payment, in the order they were authorised."""
        return list(self._payments.values())

    def tokenise(self, *, number: str, expiry: str, cvc: str) -> str:
        number = cards.plain(number)
        today = clock.now().date()
        if problem := cards.problem(number=number, expiry=expiry, cvc=cvc, today=today):
            raise InvalidCard(problem=problem)
        if number not in _GOOD | _DECLINED.keys():
            problem = "this is a test shop: use one of its test cards, never a real one"
            raise InvalidCard(problem=problem)
        token = f"tok_{uuid4().hex}"
        self._cards[token] = number
        return token

    def challenge(self, *, card_token: str, amount: Money, reference: UUID) -> Challenge | None:
        if amount.amount < 0:
            raise InvalidAmount(amount=amount)
        if self._cards.get(card_token) != _CHALLENGED:
            return None
        for known in self._challenges.values():
            same = (known.reference, known.amount) == (reference, amount)
            usable = known.state is not ChallengeState.FAILED and known.id not in self._used
            if same and usable and self._cards_of[known.id] == card_token:
                return known
        key = ChallengeId(uuid4())
        self._cards_of[key] = card_token
        self._challenges[key] = Challenge(
            id=key,
            url=f"/sandbox/bank/{key}",
            reference=reference,
            amount=amount,
            state=ChallengeState.OPEN,
        )
        return self._challenges[key]

    def answer_challenge(self, *, challenge_id: UUID, passed: bool) -> None:
        known = self.challenge_details(challenge_id=challenge_id)
        if known.state is ChallengeState.OPEN:
            state = ChallengeState.PASSED if passed else ChallengeState.FAILED
            self._challenges[challenge_id] = msgspec.structs.replace(known, state=state)

    def challenge_state(self, *, challenge_id: UUID) -> ChallengeState:
        return self.challenge_details(challenge_id=challenge_id).state

    def challenge_details(self, *, challenge_id: UUID) -> Challenge:
        if challenge_id not in self._challenges:
            raise ChallengeNotFound(challenge_id=challenge_id)
        return self._challenges[challenge_id]

    def authorise(self, *, reference: UUID, amount: Money, card_token: str) -> Payment:
        if amount.amount < 0:
            raise InvalidAmount(amount=amount)
        if reference in self._declined:
            raise CardDeclined(reason=self._declined[reference])
        if reference not in self._payments:
            if reason := self._refusal(amount, card_token):
                self._declined[reference] = reason
                raise CardDeclined(reason=reason)
            self._payments[reference] = Payment(
                id=PaymentId(reference),
                reference=reference,
                state=PaymentState.AUTHORISED,
                amount=amount,
                refunded=Money.zero(amount.currency),
            )
        return self._payments[reference]

    def capture(self, *, reference: UUID) -> Payment:
        known = self.payment(reference=reference)
        if known.state is PaymentState.VOIDED:
            raise NotCapturable(reference=reference, state=known.state)
        if known.state is PaymentState.AUTHORISED:
            self._change(reference, state=PaymentState.CAPTURED)
            announce(PaymentCaptured(reference=reference, amount=known.amount))
        return self._payments[reference]

    def void(self, *, reference: UUID) -> None:
        known = self._payments.get(reference)
        if known is not None and known.state is PaymentState.AUTHORISED:
            self._change(reference, state=PaymentState.VOIDED)

    def refund(self, *, reference: UUID, refund_reference: UUID, amount: Money) -> Payment:
        known = self.payment(reference=reference)
        if amount.amount <= 0 or amount.currency != known.amount.currency:
            raise InvalidAmount(amount=amount)
        for payment in self._payments.values():
            for one in payment.refunds:
                if one.reference == refund_reference:
                    if (payment.reference, one.amount) != (reference, amount):
                        raise RefundReused(refund_reference=refund_reference)
                    return known
        captured = known.state is PaymentState.CAPTURED
        refundable = known.amount - known.refunded if captured else Money.zero(amount.currency)
        if amount > refundable:
            raise RefundTooLarge(reference=reference, refundable=refundable)
        refund = Refund(reference=refund_reference, amount=amount, at=clock.now())
        self._change(reference, refunded=known.refunded + amount, refunds=(*known.refunds, refund))
        announce(PaymentRefunded(reference=reference, amount=amount))
        return self._payments[reference]

    def payment(self, *, reference: UUID) -> Payment:
        if reference not in self._payments:
            raise PaymentNotFound(reference=reference)
        return self._payments[reference]

    def ledger_balance(self) -> Sequence[AccountBalance]:
        kept = Counter[str]()
        for one in self._payments.values():
            if one.state is PaymentState.CAPTURED:
                kept[one.amount.currency] += one.amount.amount - one.refunded.amount
        return [
            AccountBalance(account=account, balance=Money(sign * amount, currency))
            for account, sign in (("assets:provider", 1), ("liabilities:customers", -1))
            for currency, amount in sorted(kept.items())
        ]

    def _refusal(self, amount: Money, card_token: str) -> str:
        number = self._cards.get(card_token)
        if number is None:
            return "the card token is not known"
        if number == _CHALLENGED:
            for known in self._challenges.values():
                mine = self._cards_of[known.id] == card_token and known.id not in self._used
                enough = known.amount.currency == amount.currency and known.amount >= amount
                if mine and enough and known.state is ChallengeState.PASSED:
                    self._used.add(known.id)
                    return ""
            return "authentication was not completed"
        return _DECLINED.get(number, "")

    def _change(self, reference: UUID, **changes: object) -> None:
        self._payments[reference] = msgspec.structs.replace(self._payments[reference], **changes)
