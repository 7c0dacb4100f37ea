"""What stock provides."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from monolift.kernel import DomainError, Dto, Interface, command, query


class SoldOut(DomainError, status=409):
    """Only {left} of {sku} are left."""

    sku: str
    left: int


class Level(Dto):
    """How many are left and how many are held."""

    left: int
    held: int


class Stock(Interface, Protocol, version=1):
    """Counts things."""

    @query(timeout=5)
    def levels(self, *, skus: Sequence[str]) -> Mapping[str, Level]: ...

    @command(timeout=5, raises=SoldOut)
    def hold(self, *, sku: str, quantity: int) -> int:
        """Hold some; the number of the hold. Holding twice holds twice."""
        ...

    @command(timeout=5)
    def give_back(self, *, hold: int) -> None: ...

    @command(timeout=5)
    def fill(self, *, sku: str, quantity: int = 10) -> None: ...

    @query(timeout=5)
    def pass_on(self) -> Sequence[tuple[str, str, float]]:
        """See `Sales.pass_on`."""
        ...

    @command(timeout=5)
    def misbehave(self, *, how: str) -> str:
        """Break a rule on purpose."""
        ...
