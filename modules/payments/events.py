"""Facts that payments announces."""

from uuid import UUID

from monolift.kernel import Event, Money


class PaymentCaptured(Event, version=1, key="reference"):
    """Money was taken."""

    reference: UUID
    amount: Money


class PaymentRefunded(Event, version=1, key="reference"):
    """Money was given back."""

    reference: UUID
    amount: Money
