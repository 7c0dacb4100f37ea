"""What cards provides."""

from collections.abc import Sequence
from typing import Protocol

from monolift.kernel import DomainError, Interface, command, query


class Declined(DomainError, status=402):
    """The card was declined."""

    card: str


class Cards(Interface, Protocol, version=1):
    """Charges cards at a network."""

    @command(timeout=5, raises=Declined, external=True)
    def authorise(self, *, card: str, amount: int) -> str: ...

    @query(timeout=5)
    def pass_on(self) -> Sequence[tuple[str, str, float]]:
        """See `Sales.pass_on`: the end of the chain."""
        ...

    @command(timeout=5, external=True)
    def void(self, *, reference: str) -> None: ...

    @command(timeout=5, external=True)
    def capture(self, *, reference: str) -> None: ...
