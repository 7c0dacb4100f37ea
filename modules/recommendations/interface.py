"""What recommendations provides."""

from collections.abc import Sequence
from typing import Protocol

from monolift.kernel import Interface, query


class Recommendations(Interface, Protocol, version=1):
    """What goes with what."""

    @query(timeout=1)
    def bought_together(self, *, skus: Sequence[str], limit: int = 4) -> Sequence[str]:
        """SKUs that were most often bought with any of these, at most 50; none of them.

        What is missing is filled up with what is bought most; equals come in order of SKU. Some
        may have been withdrawn: ask for a few more than will be shown.
        """
        ...
