"""Writes of recommendations, and the interface they answer."""

from collections.abc import Sequence

from modules.recommendations import queries
from modules.recommendations.interface import Recommendations


class RecommendationsService(Recommendations):
    """Answers `Recommendations` from this module's counts."""

    def bought_together(self, *, skus: Sequence[str], limit: int = 4) -> Sequence[str]:
        """See `Recommendations.bought_together`."""
        return queries.bought_together(skus=skus, limit=limit)
