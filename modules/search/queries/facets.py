"""Counting what was found: how much, and what each further choice would leave of it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from django.db.models import QuerySet

from modules.search.interface import Facet, FacetValue
from modules.search.models import Category, Document

CATEGORY = "category"

MOST_COUNTED = 2_000
"""Up to how many documents are counted. Of more, facets count any so many: they are the least."""

_MOST_FACETS = 20
_MOST_VALUES = 50
_decode = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode

type Within = Callable[[str | None], QuerySet[Document]]
"""The documents found when the choice of one facet (None: of none) is left out."""


class Counted(NamedTuple):
    """How many there are (`more` than that, at the limit), and the facets."""

    total: int
    more: bool
    facets: tuple[Facet, ...]


def counted(*, within: Within, category: str, options: Mapping[str, Sequence[str]]) -> Counted:
    """Count: one statement, and one more for each facet with a choice.

    A facet does not narrow itself, so that its other values stay in reach: it is counted without
    its own choice. The category comes first, then the options by name.
    """
    rows = within(None).values_list("category", "choices")[: MOST_COUNTED + 1]
    found = list(rows)
    more = len(found) > MOST_COUNTED
    del found[MOST_COUNTED:]
    if category:
        rows = within(CATEGORY).values_list("category", "choices")[:MOST_COUNTED]
        inside = Counter(slug for slug, _ in rows)
    else:
        inside = Counter(slug for slug, _ in found)
    values = _values(Counter(choices for _, choices in found))
    for name, chosen in options.items():
        others = within(name).values_list("choices", flat=True)[:MOST_COUNTED]
        own = _values(Counter(others)).get(name, Counter())
        values[name] = Counter({**dict.fromkeys(chosen, 0), **own})
    facets = (*_category(inside, chosen=category), *_options(values, options))
    return Counted(len(found), more, facets)


def _values(choices: Counter[str]) -> dict[str, Counter[str]]:
    """How often each value of each option is; equal sets of choices are read once."""
    counted: dict[str, Counter[str]] = {}
    for encoded, number in choices.items():
        for name, value in _decode(encoded):
            counted.setdefault(name, Counter())[value] += number
    return counted


def _category(inside: Counter[str], *, chosen: str) -> list[Facet]:
    counts = Counter({slug: number for slug, number in inside.items() if slug})
    if not counts and not chosen:
        return []
    known = {one.slug: one for one in Category.objects.filter(slug__in=[*counts, chosen])}
    above = {one.parent for one in known.values()} - {"", *known}
    if above:
        known |= {one.slug: one for one in Category.objects.filter(slug__in=above)}
    for slug in list(counts):
        if slug in known and (parent := known[slug].parent):
            counts[parent] += inside[slug]
    if chosen:
        counts.setdefault(chosen, 0)
    values = [
        FacetValue(value=slug, count=number, title=known[slug].title if slug in known else slug)
        for slug, number in counts.items()
    ]
    return [Facet(name=CATEGORY, values=_first(values, [chosen]))]


def _options(
    values: Mapping[str, Counter[str]], chosen: Mapping[str, Sequence[str]]
) -> list[Facet]:
    return [
        Facet(
            name=name,
            values=_first(
                [FacetValue(value=one, count=number, title=one) for one, number in numbers.items()],
                chosen.get(name, ()),
            ),
        )
        for name, numbers in sorted(values.items())[:_MOST_FACETS]
    ]


def _first(values: list[FacetValue], chosen: Sequence[str]) -> tuple[FacetValue, ...]:
    """The most frequent values; a chosen one stays, so that it can be taken back."""
    values.sort(key=lambda one: (one.value not in chosen, -one.count, one.title, one.value))
    kept = values[:_MOST_VALUES]
    kept.sort(key=lambda one: (-one.count, one.title, one.value))
    return tuple(kept)
