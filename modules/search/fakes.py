"""Search in memory, for the tests of modules that require it."""

from collections import Counter
from collections.abc import Mapping, Sequence

from modules.search.interface import (
    Facet,
    FacetValue,
    InvalidCursor,
    Search,
    SearchPage,
    Suggestion,
    SuggestionKind,
)
from modules.search.requires import Category, Product, catalog


class FakeSearch(Search):
    """Looks through the catalog at each question; it knows of no misspelling."""

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
        limit = max(1, min(limit, 100))
        categories = {one.slug: one for one in catalog.categories()}
        ranked = {one.slug: _rank(one, text, categories) for one in _products()}
        known = [one for one in _products() if ranked[one.slug] is not None]
        length = {one.slug: len(one.title.split()) if text.strip() else 0 for one in known}
        known.sort(key=lambda one: (ranked[one.slug], length[one.slug], one.title.lower()))
        shelves = {one.slug: _shelves(one, categories) for one in known}
        chosen = {name: set(values) for name, values in options.items() if values}

        def fits(one: Product, *, besides: str = "") -> bool:
            on_shelf = besides == "category" or not category or category in shelves[one.slug]
            offered = {option.name: set(option.values) for option in one.options}
            return on_shelf and all(
                name == besides or offered.get(name, set()) & values
                for name, values in chosen.items()
            )

        found = [one.slug for one in known if fits(one)]
        start = 0
        if after is not None:
            if not after.isdecimal() or int(after) >= len(found):
                raise InvalidCursor(after=after[:200])
            start = int(after)
        end = start + limit
        counted: dict[str, Counter[str]] = {"category": Counter()}
        for one in known:
            if fits(one, besides="category"):
                counted["category"].update(shelves[one.slug])
            for option in one.options:
                counts = counted.setdefault(option.name, Counter())
                counts.update(set(option.values) if fits(one, besides=option.name) else ())
        for name, values in chosen.items():  # a choice can be taken back
            counted.setdefault(name, Counter()).update(dict.fromkeys(values, 0))
        return SearchPage(
            slugs=tuple(found[start:end]),
            total=len(found),
            facets=tuple(
                Facet(
                    name=name,
                    values=tuple(
                        FacetValue(
                            value=value,
                            count=count,
                            title=categories[value].title if name == "category" else value,
                        )
                        for value, count in sorted(counts.items())
                    ),
                )
                for name, counts in counted.items()
                if counts
            ),
            next=str(end) if end < len(found) else None,
        )

    def suggest(self, *, text: str, limit: int = 8) -> Sequence[Suggestion]:
        start = text.strip().lower()
        if not start:
            return []
        found = [
            Suggestion(kind=SuggestionKind.CATEGORY, text=one.title, slug=one.slug)
            for one in catalog.categories()
            if one.count and _goes_on(one.title, start)
        ]
        titled = sorted(
            _products(), key=lambda one: (not one.title.lower().startswith(start), len(one.title))
        )
        found += [
            Suggestion(kind=SuggestionKind.PRODUCT, text=one.title, slug=one.slug)
            for one in titled
            if _goes_on(one.title, start)
        ]
        return found[: max(1, min(limit, 20))]


def _goes_on(title: str, start: str) -> bool:
    return any(word.startswith(start) for word in title.lower().split())


def _products() -> list[Product]:
    found: list[Product] = []
    after = None
    while True:
        page = catalog.products(currency="EUR", limit=100, after=after)
        found += page.products
        after = page.next
        if after is None:
            return found


def _shelves(product: Product, categories: Mapping[str, Category]) -> list[str]:
    own = categories.get(product.category)
    return [slug for slug in (own.slug, own.parent) if slug] if own else []


def _rank(product: Product, text: str, categories: Mapping[str, Category]) -> int | None:
    """How well it fits: 0 the title itself, 1 its beginning, 2 inside it, 3 elsewhere."""
    title = product.title.lower()
    words = text.lower().split()
    if not words or title == " ".join(words):
        return 0
    if title.startswith(" ".join(words)):
        return 1
    shelves = [categories[slug].title for slug in _shelves(product, categories)]
    values = [value for option in product.options for value in option.values]
    skus = [variant.sku for variant in product.variants]
    elsewhere = " ".join((*product.tags, *values, *shelves, *skus, product.description)).lower()
    for rank, place in ((2, title), (3, f"{title} {elsewhere}")):
        known = set(place.replace(".", " ").replace(",", " ").split())
        whole, beginning = words[:-1], words[-1]
        if known.issuperset(whole) and any(word.startswith(beginning) for word in known):
            return rank
    return None
