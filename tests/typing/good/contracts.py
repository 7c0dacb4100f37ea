"""Declarations as a developer writes them; the other files use them."""

from collections.abc import Mapping, Sequence
from typing import NewType, Protocol
from uuid import UUID

from monolift.kernel import DomainError, Dto, Event, Interface, Money, command, query

Sku = NewType("Sku", str)


class InsufficientStock(DomainError, status=409):
    """Only {available} of {sku} are left."""

    sku: Sku
    available: int


class Line(Dto):
    """So many of a SKU."""

    sku: Sku
    quantity: int


class Hold(Dto):
    """Stock set aside."""

    id: UUID
    lines: tuple[Line, ...] = ()


class Inventory(Interface, Protocol, version=1):
    """Stock on hand and the holds placed on it."""

    @query(timeout=0.2)
    def available(self, *, skus: Sequence[Sku]) -> Mapping[Sku, int]:
        """How many can be bought now."""
        ...

    @query
    def names(self) -> tuple[str, ...]:
        """A decorator without parentheses."""
        ...

    @command(timeout=0.5, raises=(InsufficientStock,))
    def reserve(self, *, reference: UUID, lines: Sequence[Line]) -> Hold:
        """Hold stock for what `reference` names."""
        ...

    @command
    def release(self, *, reference: UUID) -> None:
        """Give back what is held."""
        ...


class Payments(Interface, Protocol, version=1):
    """Money of customers."""

    @command(external=True)
    def authorise(self, *, reference: UUID, amount: Money) -> UUID:
        """Ask the card network."""
        ...

    @command
    def capture(self, *, payment_id: UUID) -> None:
        """Take the money."""
        ...


class OrderPlaced(Event, version=1, key="order_id"):
    """An order was placed."""

    order_id: UUID
    total: Money


class ShipmentBooked(Event, version=1, key="order_id"):
    """A parcel is on its way."""

    order_id: UUID
    tracking: str
