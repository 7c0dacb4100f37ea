"""What inventory provides."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol
from uuid import UUID

from monolift.kernel import DomainError, Dto, Interface, command, query

Sku = NewType("Sku", str)
HoldId = NewType("HoldId", UUID)


class InsufficientStock(DomainError, status=409):
    """Only {available} of {sku} are left."""

    sku: Sku
    available: int


class HoldExpired(DomainError, status=409):
    """The stock held for {reference} was given back; it can be neither taken nor held again."""

    reference: UUID


class InvalidQuantity(DomainError, status=422):
    """{quantity} of {sku} is not a quantity: give a whole number from 1 to 10000."""

    sku: Sku
    quantity: int


class InvalidAdjustment(DomainError, status=422):
    """{sku} cannot be adjusted by {by}: give a whole number from -10000 to 10000 that is not 0."""

    sku: Sku
    by: int


class InvalidSku(DomainError, status=422):
    """{sku} is no SKU: it has from 1 to 64 characters."""

    sku: Sku


class AdjustmentReused(DomainError, status=422):
    """The reference {reference} was for another adjustment: use a new one."""

    reference: UUID


class InvalidThreshold(DomainError, status=422):
    """{threshold} is no threshold for {sku}: give a whole number from 0 to 1000000, or None."""

    sku: Sku
    threshold: int


class NeverStocked(DomainError, status=404):
    """There was never any stock of {sku}: receive some first."""

    sku: Sku


class InvalidCursor(DomainError, status=422):
    """{after} does not continue a page: give a page's `next` as it was."""

    after: str


class Line(Dto):
    """So many of a SKU."""

    sku: Sku
    quantity: int


class Hold(Dto):
    """Stock set aside for `reference` until `expires_at`."""

    id: HoldId
    reference: UUID
    lines: tuple[Line, ...]
    expires_at: datetime


class StockCount(Dto):
    """Where the stock of a SKU is: received = available + held + taken.

    Adjustments count towards `received`, whichever way they went.
    """

    sku: Sku
    received: int
    available: int
    held: int
    taken: int


class AdjustmentReason(StrEnum):
    """Why stock is corrected. `counted` is what a stocktaking found, too much or too little."""

    RECEIVED = "received"
    COUNTED = "counted"
    DAMAGED = "damaged"
    RETURNED = "returned"
    LOST = "lost"


class Adjustment(Dto):
    """One correction of stock. `available` is what could be bought after it."""

    reference: UUID
    sku: Sku
    by: int
    reason: AdjustmentReason
    available: int
    at: datetime
    who: str = ""


class AdjustmentPage(Dto):
    """Adjustments, the newest first. `next` continues; None at the end."""

    adjustments: tuple[Adjustment, ...]
    next: str | None = None


class StockLevel(Dto):
    """The stock of a SKU. `low`: no more is available than its threshold, if it has one.

    `held` is set aside for buyers who have not paid yet.
    """

    sku: Sku
    available: int
    received: int
    threshold: int | None
    low: bool
    held: int = 0


class StockPage(Dto):
    """Stock in order of SKU. `next` continues; None at the end."""

    levels: tuple[StockLevel, ...]
    next: str | None = None


class Inventory(Interface, Protocol, version=1):
    """Stock on hand and the holds placed on it."""

    @query(timeout=2)
    def available(self, *, skus: Sequence[Sku]) -> Mapping[Sku, int]:
        """How many can be bought now; 0 for a SKU that was never stocked."""
        ...

    @query(timeout=10)
    def count(self) -> Sequence[StockCount]:
        """Where all stock is, in order of SKU. For stocktaking: it reads every open hold."""
        ...

    @query(timeout=5)
    def stock(
        self, *, text: str = "", low_only: bool = False, limit: int = 50, after: str | None = None
    ) -> StockPage:
        """All stock, for the back office; at most 100 a page.

        `text` is a part of the SKU, in capitals or not. `low_only` leaves what is low.
        """
        ...

    @query(timeout=5, raises=InvalidCursor)
    def adjustments(self, *, sku: Sku, limit: int = 50, after: str | None = None) -> AdjustmentPage:
        """What was adjusted by hand, when and by whom; at most 100 a page."""
        ...

    @command(timeout=5, raises=(InsufficientStock, InvalidQuantity, HoldExpired))
    def reserve(self, *, reference: UUID, lines: Sequence[Line]) -> Hold:
        """Hold stock for what `reference` names. Reserving twice for it returns the same hold.

        All lines or none. A reference whose stock was given back is used up: HoldExpired.
        """
        ...

    @command(timeout=5, raises=HoldExpired)
    def take(self, *, reference: UUID) -> None:
        """Turn the hold into a sale: it no longer expires. Taking twice is harmless."""
        ...

    @command(timeout=5)
    def release(self, *, reference: UUID) -> None:
        """Give back what is held or taken for `reference`; nothing to give back is harmless."""
        ...

    @command(timeout=5, raises=InvalidQuantity)
    def receive(self, *, reference: UUID, lines: Sequence[Line]) -> None:
        """Add delivered goods to the stock, once per `reference`."""
        ...

    @command(timeout=5, raises=(InvalidAdjustment, InvalidSku, InsufficientStock, AdjustmentReused))
    def adjust(
        self,
        *,
        sku: Sku,
        by: int,
        reason: AdjustmentReason,
        reference: UUID,
        who: str = "",
    ) -> Adjustment:
        """Correct what is available by `by`, once per `reference`; `who` is for the record.

        What is held or taken cannot be taken away. Stock may begin with an adjustment.
        """
        ...

    @command(timeout=5, raises=(InvalidThreshold, NeverStocked))
    def set_threshold(self, *, sku: Sku, threshold: int | None) -> None:
        """Call the SKU low when no more than `threshold` are available; None never does.

        StockLow is announced when stock falls to the threshold, not when the threshold is set.
        """
        ...
