"""Facets: what a search can be narrowed by, and what each choice would give."""

from collections.abc import Callable, Mapping, Sequence

from django.db.models import Count, QuerySet

from modules.search.interface import Facet, FacetValue
from modules.search.models import Category, Document, OptionValue

CATEGORY = "category"
_MOST_FACETS = 20
_MOST_VALUES = 50

type Within = Callable[[str | None], QuerySet[Document]]
"""The documents found when the choice of one facet (None: of none) is left out."""


def facets(
    *, within: Within, category: str, options: Mapping[str, Sequence[str]]
) -> tuple[Facet, ...]:
    """The category first, then the options by name.

    A facet does not narrow itself, so that its other values stay in reach: each one with a choice
    is counted without it, by a statement of its own.
    """
    return (*_categories(within(CATEGORY), chosen=category), *_options(within, options))


def _categories(found: QuerySet[Document], *, chosen: str) -> list[Facet]:
    counted = dict(
        Document.objects.filter(pk__in=found.values("pk"))
        .exclude(category="")
        .values_list("category")
        .annotate(number=Count("*"))
        .order_by()
    )
    if not counted and not chosen:
        return []
    known = {one.slug: one for one in Category.objects.filter(slug__in=[*counted, chosen])}
    above = {one.parent for one in known.values()} - {"", *known}
    known |= {one.slug: one for one in Category.objects.filter(slug__in=above)}
    counts = dict(counted)
    for slug, number in counted.items():
        if slug in known and (parent := known[slug].parent):
            counts[parent] = counts.get(parent, 0) + number
    if chosen:
        counts.setdefault(chosen, 0)
    values = [
        FacetValue(value=slug, count=number, title=known[slug].title if slug in known else slug)
        for slug, number in counts.items()
    ]
    return [Facet(name=CATEGORY, values=_first(values, [chosen]))]


def _options(within: Within, chosen: Mapping[str, Sequence[str]]) -> list[Facet]:
    counted = {
        name: numbers
        for name, numbers in _counted(OptionValue.objects.all(), within(None)).items()
        if name not in chosen
    }
    for name, values in chosen.items():
        own = _counted(OptionValue.objects.filter(name=name), within(name)).get(name, {})
        counted[name] = {**dict.fromkeys(values, 0), **own}
    return [
        Facet(
            name=name,
            values=_first(
                [FacetValue(value=one, count=number, title=one) for one, number in numbers.items()],
                chosen.get(name, ()),
            ),
        )
        for name, numbers in sorted(counted.items())[:_MOST_FACETS]
    ]


def _counted(values: QuerySet[OptionValue], found: QuerySet[Document]) -> dict[str, dict[str, int]]:
    counted: dict[str, dict[str, int]] = {}
    rows = (
        values.filter(document__in=found.values("pk"))
        .values_list("name", "value")
        .annotate(number=Count("*"))
        .order_by()
    )
    for name, value, number in rows:
        counted.setdefault(name, {})[value] = number
    return counted


def _first(values: list[FacetValue], chosen: Sequence[str]) -> tuple[FacetValue, ...]:
    """The most frequent values; a chosen one stays, so that it can be taken back."""
    values.sort(key=lambda one: (one.value not in chosen, -one.count, one.title, one.value))
    kept = values[:_MOST_VALUES]
    kept.sort(key=lambda one: (-one.count, one.title, one.value))
    return tuple(kept)
