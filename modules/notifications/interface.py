"""What notifications provides."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from monolift.kernel import Dto, Interface, query


class MailKind(StrEnum):
    """What a mail tells."""

    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    STOCK_LOW = "stock_low"


class Mail(Dto):
    """A mail: sent when `sent_at` is given, given up when there is a `problem`, else on its way."""

    id: UUID
    kind: MailKind
    at: datetime
    sent_at: datetime | None = None
    problem: str = ""


class Notifications(Interface, Protocol, version=1):
    """What was mailed."""

    @query(timeout=2)
    def mails(self, *, order_id: UUID) -> Sequence[Mail]:
        """The mails about an order, the oldest first."""
        ...
