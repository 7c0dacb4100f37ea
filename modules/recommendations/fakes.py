"""Recommendations in memory, for the tests of modules that require it."""

from collections import Counter
from collections.abc import Sequence

from modules.recommendations.interface import Recommendations


class FakeRecommendations(Recommendations):
    """Counts the orders it is told of by `ordered`; before any it knows of nothing."""

    def __init__(self) -> None:
        self._orders: list[frozenset[str]] = []

    def ordered(self, *skus: str) -> None:
        """Count an order of these SKUs."""
        self._orders.append(frozenset(skus))

    def bought_together(self, *, skus: Sequence[str], limit: int = 4) -> Sequence[str]:
        wanted = set(skus)
        pairs, single = Counter[str](), Counter[str]()
        for order in self._orders:
            single.update(order)
            pairs.update({sku: len(order & wanted) for sku in order})
        found = sorted(set(single) - wanted, key=lambda sku: (-pairs[sku], -single[sku], sku))
        return found[: max(1, min(limit, 50))]
