"""What inventory provides."""

from collections.abc import Mapping, Sequence
from datetime import datetime
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
    """Where the stock of a SKU is: received = available + held + taken."""

    sku: Sku
    received: int
    available: int
    held: int
    taken: int


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
