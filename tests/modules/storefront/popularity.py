"""Recommendations that are known beforehand."""

from collections.abc import Sequence

from modules.recommendations.interface import Recommendations


class Popular(Recommendations):
    """Says that these are bought with anything, and most."""

    def __init__(self, *skus: str) -> None:
        self.skus = skus

    def bought_together(self, *, skus: Sequence[str], limit: int = 4) -> Sequence[str]:
        """Name them, without what was given."""
        return [sku for sku in self.skus if sku not in skus][:limit]
