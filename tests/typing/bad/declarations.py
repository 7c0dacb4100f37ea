"""Wrong options of the decorators."""

from typing import Protocol
from uuid import UUID

from monolift.kernel import Interface, command, query


class Wrong(Interface, Protocol, version=1):
    @command(external="yes")  # expect: mypy, pyright
    def pay(self, *, reference: UUID) -> None: ...

    @query(timeout="1s")  # expect: mypy, pyright
    def paid(self, *, reference: UUID) -> bool: ...

    @command(raises=ValueError)  # expect: mypy, pyright
    def refund(self, *, reference: UUID) -> None: ...

    @query(external=True)  # expect: mypy, pyright
    def refunded(self, *, reference: UUID) -> bool: ...
