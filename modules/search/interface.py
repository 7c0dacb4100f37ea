"""What search provides."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from monolift.kernel import DomainError, Dto, Interface, query


class InvalidCursor(DomainError, status=422):
    """{after} does not continue a page: give a page's `next` as it was."""

    after: str


class FacetValue(Dto):
    """One value to narrow by, and how many products would be left.

    `title` is what people call it; a category's `value` is its slug.
    """

    value: str
    count: int
    title: str


class Facet(Dto):
    """Something to narrow by: `category`, or the name of an option."""

    name: str
    values: tuple[FacetValue, ...]


class SearchPage(Dto):
    """Some products found, the best first; `next` continues after them, None at the end.

    `total` is exact, or when `more` is set, the least there are; then the facets' counts are the
    least as well. `corrected` is what the text was
    taken for when nothing has the words as they were typed, empty otherwise.
    """

    slugs: tuple[str, ...]
    total: int
    more: bool = False
    facets: tuple[Facet, ...] = ()
    next: str | None = None
    corrected: str = ""


class SuggestionKind(StrEnum):
    """What a suggestion leads to."""

    CATEGORY = "category"
    PRODUCT = "product"


class Suggestion(Dto):
    """Something whose name goes on like the text that was typed."""

    kind: SuggestionKind
    text: str
    slug: str


class Search(Interface, Protocol, version=1):
    """Finds products by their words. Any text is allowed; the last word may be a beginning."""

    @query(timeout=2, raises=InvalidCursor)
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
        """Products that have every word, at most 100 a page.

        A title that is the text comes first, then one that begins with it, then those with the
        words in the title, then with the help of tags, options, category and SKUs, then of the
        description; whole words before beginnings, short titles before long ones. Without any text
        it is every product, by title. Only the best 1000 are listed.

        `category` takes a main category's subcategories in. Of an option any of the values will
        do, and every option must fit. A facet counts what its own choice would give, with all
        other choices kept. The answer does not depend on `currency`: it is that of the prices
        that will be shown beside it.
        """
        ...

    @query(timeout=1)
    def suggest(self, *, text: str, limit: int = 8) -> Sequence[Suggestion]:
        """Categories and titles for the text typed so far, at most 20."""
        ...
