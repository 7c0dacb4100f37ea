"""What the probe provides."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from monolift.kernel import Dto, Interface, Money, command, query


class WantedLine(Dto):
    """So many of a SKU."""

    sku: str
    quantity: int


class PricedLine(Dto):
    """A line with what it costs."""

    sku: str
    title: str
    quantity: int
    unit: Money
    total: Money


class Placed(Dto):
    """An order of some lines."""

    id: UUID
    lines: tuple[PricedLine, ...]
    total: Money


class Probe(Interface, Protocol, version=1):
    """Calls that do nothing, but for one."""

    @query(timeout=5)
    def look(self, *, number: int) -> int:
        """The number."""
        ...

    @query(timeout=5)
    def work(self, *, milliseconds: int) -> int:
        """The number, after so long."""
        ...

    @query(timeout=5)
    def priced(self, *, lines: Sequence[WantedLine]) -> Placed:
        """What they would cost."""
        ...

    @command(timeout=5)
    def place(self, *, reference: UUID, lines: Sequence[WantedLine]) -> Placed:
        """An order that was made beforehand."""
        ...

    @command(timeout=5)
    def note(self, *, text: str, total: int) -> None:
        """Insert a row, and change it."""
        ...
