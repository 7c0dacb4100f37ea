"""Writes of search, and the interface they answer."""

from collections.abc import Mapping, Sequence

from modules.search import queries
from modules.search.interface import Search, SearchPage, Suggestion


class SearchService(Search):
    """Answers `Search` from this module's index."""

    def search(
        self,
        *,
        text: str,
        currency: str = "EUR",
        category: str = "",
        options: Mapping[str, Sequence[str]] = {},
        limit: int = 24,
        after: str | None = None,
    ) -> SearchPage:
        """See `Search.search`."""
        return queries.search(
            text=text, category=category, options=options, limit=limit, after=after
        )

    def suggest(self, *, text: str, limit: int = 8) -> Sequence[Suggestion]:
        """See `Search.suggest`."""
        return queries.suggest(text=text, limit=limit)
