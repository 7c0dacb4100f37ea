"""What sales provides."""

from collections.abc import Sequence
from typing import Protocol

from monolift.kernel import Interface, query


class Sales(Interface, Protocol, version=1):
    """The top of a chain of calls."""

    @query(timeout=5)
    def pass_on(self) -> Sequence[tuple[str, str, float]]:
        """Who was asked: module, end user, seconds left. Sales asks stock, which asks cards."""
        ...
