"""Writes of payments, and the interface they answer.

What is sent to the provider carries a key made of the reference, which is stronger than the key of
one call: whoever asks again for the same reference, in whatever way, has no second effect there.
"""

from collections.abc import Sequence
from uuid import UUID, uuid5

from django.db import IntegrityError
from django.db.models import F
from django.views.decorators.debug import sensitive_variables

from modules.payments import models, queries
from modules.payments.events import PaymentCaptured, PaymentRefunded
from modules.payments.interface import (
    AccountBalance,
    CardDeclined,
    Challenge,
    ChallengeNotFound,
    ChallengeState,
    InvalidAmount,
    InvalidCard,
    NotCapturable,
    Payment,
    Payments,
    RefundReused,
    RefundTooLarge,
)
from modules.payments.provider import Declined, KeyReused, RefundRefused, cards, provider
from monolift import atomic, publish
from monolift.kernel import Money, clock

_State = models.Payment.State
_Account = models.Entry.Account


class PaymentsService(Payments):
    """Answers `Payments` through the configured provider."""

    @sensitive_variables()
    def tokenise(self, *, number: str, expiry: str, cvc: str) -> str:
        """See `Payments.tokenise`."""
        number = cards.plain(number)
        today = clock.now().date()
        if problem := cards.problem(number=number, expiry=expiry, cvc=cvc, today=today):
            raise InvalidCard(problem=problem)
        try:
            return provider().tokenise(number=number, expiry=expiry, cvc=cvc)
        except ValueError as error:
            raise InvalidCard(problem=str(error)) from None

    def challenge(self, *, card_token: str, amount: Money, reference: UUID) -> Challenge | None:
        """See `Payments.challenge`."""
        if amount.amount < 0:
            raise InvalidAmount(amount=amount)
        return provider().challenge(reference=reference, amount=amount, token=card_token)

    def answer_challenge(self, *, challenge_id: UUID, passed: bool) -> None:
        """See `Payments.answer_challenge`."""
        try:
            provider().answer(challenge=challenge_id, passed=passed)
        except LookupError:
            raise ChallengeNotFound(challenge_id=challenge_id) from None

    def challenge_state(self, *, challenge_id: UUID) -> ChallengeState:
        """See `Payments.challenge_state`."""
        return self.challenge_details(challenge_id=challenge_id).state

    def challenge_details(self, *, challenge_id: UUID) -> Challenge:
        """See `Payments.challenge_details`."""
        try:
            return provider().challenged(challenge=challenge_id)
        except LookupError:
            raise ChallengeNotFound(challenge_id=challenge_id) from None

    def authorise(self, *, reference: UUID, amount: Money, card_token: str) -> Payment:
        """See `Payments.authorise`."""
        if amount.amount < 0:
            raise InvalidAmount(amount=amount)
        try:
            charge = provider().authorise(
                key=f"authorise:{reference}", amount=amount, token=card_token
            )
        except Declined as error:
            raise CardDeclined(reason=str(error)) from None
        payment = models.Payment(
            reference=reference,
            amount=amount.amount,
            currency=amount.currency,
            charge=charge,
            created_at=clock.now(),
        )
        with atomic():
            models.Payment.objects.bulk_create([payment], ignore_conflicts=True)
        return queries.shown(payment)

    def capture(self, *, reference: UUID) -> Payment:
        """See `Payments.capture`."""
        payment = queries.row(reference=reference)
        if payment.state == _State.VOIDED:
            raise NotCapturable(reference=reference, state=payment.state)
        if payment.state == _State.AUTHORISED:
            provider().capture(key=f"capture:{reference}", charge=payment.charge)
            self._captured(payment)
        return queries.shown(payment)

    def void(self, *, reference: UUID) -> None:
        """See `Payments.void`."""
        payment = models.Payment.objects.filter(reference=reference).first()
        if payment is None or payment.state != _State.AUTHORISED:
            return
        provider().void(key=f"void:{reference}", charge=payment.charge)
        with atomic():
            _leave(payment, to=_State.VOIDED)

    def refund(self, *, reference: UUID, refund_reference: UUID, amount: Money) -> Payment:
        """See `Payments.refund`."""
        payment = queries.row(reference=reference)
        if amount.amount <= 0 or amount.currency != payment.currency:
            raise InvalidAmount(amount=amount)
        known = models.Refund.objects.filter(reference=refund_reference).first()
        if known is not None:
            if (known.payment_id, known.amount) != (reference, amount.amount):
                raise RefundReused(refund_reference=refund_reference)
            # A twin may have refunded after the payment was read.
            return queries.shown(queries.row(reference=reference))
        captured = payment.amount if payment.state == _State.CAPTURED else 0
        refundable = Money(captured - payment.refunded, payment.currency)
        if amount > refundable:
            raise RefundTooLarge(reference=reference, refundable=refundable)
        try:
            provider().refund(
                key=f"refund:{refund_reference}", charge=payment.charge, amount=amount
            )
        except RefundRefused:
            raise RefundTooLarge(reference=reference, refundable=refundable) from None
        except KeyReused:
            raise RefundReused(refund_reference=refund_reference) from None
        self._refunded(payment, refund_reference, amount)
        return queries.shown(queries.row(reference=reference))

    def payment(self, *, reference: UUID) -> Payment:
        """See `Payments.payment`."""
        return queries.shown(queries.row(reference=reference))

    def ledger_balance(self) -> Sequence[AccountBalance]:
        """See `Payments.ledger_balance`."""
        return queries.ledger_balance()

    def _captured(self, payment: models.Payment) -> None:
        amount = Money(payment.amount, payment.currency)
        with atomic():
            if _leave(payment, to=_State.CAPTURED):
                post(
                    posting=uuid5(payment.reference, "capture"),
                    reference=payment.reference,
                    debit=_Account.PROVIDER,
                    credit=_Account.CUSTOMERS,
                    amount=amount,
                )
                publish(PaymentCaptured(reference=payment.reference, amount=amount))
        payment.state = _State.CAPTURED

    def _refunded(self, payment: models.Payment, reference: UUID, amount: Money) -> None:
        refund = models.Refund(
            reference=reference, payment=payment, amount=amount.amount, created_at=clock.now()
        )
        with atomic():
            try:
                with atomic():
                    refund.save(force_insert=True)
            except IntegrityError:
                return
            models.Payment.objects.filter(reference=payment.reference).update(
                refunded=F("refunded") + amount.amount
            )
            post(
                posting=reference,
                reference=payment.reference,
                debit=_Account.CUSTOMERS,
                credit=_Account.PROVIDER,
                amount=amount,
            )
            publish(PaymentRefunded(reference=payment.reference, amount=amount))


def post(
    *,
    posting: UUID,
    reference: UUID,
    debit: models.Entry.Account,
    credit: models.Entry.Account,
    amount: Money,
) -> None:
    """Write a posting of two entries, in one statement. A second one of that id fails."""
    moment = clock.now()
    models.Entry.objects.bulk_create(
        models.Entry(
            posting=posting,
            account=account,
            amount=minor_units,
            currency=amount.currency,
            reference=reference,
            posted_at=moment,
        )
        for account, minor_units in ((debit, amount.amount), (credit, -amount.amount))
    )


def _leave(payment: models.Payment, *, to: models.Payment.State) -> bool:
    """Change an authorised payment's state; False when another was faster."""
    here = models.Payment.objects.filter(reference=payment.reference, state=_State.AUTHORISED)
    return here.update(state=to) == 1
