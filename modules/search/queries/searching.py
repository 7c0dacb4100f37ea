"""Searching: filters, pages, facets."""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Mapping, Sequence

import msgspec
from django.db.models import Q

from modules.search.interface import InvalidCursor, SearchPage
from modules.search.models import Category
from modules.search.provider import Term, analysis, filters
from modules.search.queries import facets, matching
from modules.search.queries.correcting import corrected
from modules.search.queries.matching import Narrowed, Ranked

LARGEST_PAGE = 100
_MOST_OPTIONS = 10
_MOST_VALUES = 50


class Filters(msgspec.Struct, frozen=True):
    """What a search is narrowed by."""

    category: str
    branch: Sequence[str]
    """The category and those in it."""
    options: Mapping[str, Sequence[str]]

    def words(self, *, but: str | None = None) -> Narrowed:
        """The words to ask the index for, without those of the facet `but`."""
        groups = []
        if self.category and but != facets.CATEGORY:
            groups.append([filters.category(slug) for slug in self.branch])
        for name, values in self.options.items():
            if name != but:
                groups.append([filters.option(name, value) for value in values])
        return groups


def search(
    *,
    text: str,
    category: str,
    options: Mapping[str, Sequence[str]],
    limit: int,
    after: str | None,
) -> SearchPage:
    """See `Search.search`."""
    limit = max(1, min(limit, LARGEST_PAGE))
    category = _clean(category)
    chosen = Filters(category=category, branch=_branch(category), options=_cleaned(options))
    words = analysis.query_words(text)
    if not words:
        # Nothing but punctuation is a text that no product has.
        return SearchPage(slugs=(), total=0) if text.strip() else _browse(chosen, limit, after)
    position = _decoded(after) if after is not None else None
    terms = matching.terms_of(words)
    found = _ranked(chosen, terms, analysis.key(text))
    better = None
    if not found and (better := corrected(terms)):
        terms = matching.terms_of(better)
        found = _ranked(chosen, terms, " ".join(better))
    start = bisect_right(found, position) if position else 0
    page = found[start : start + limit]
    more = start + limit < len(found)
    counted = _counted(chosen, terms)
    return SearchPage(
        slugs=tuple(one.slug for one in page),
        total=counted.total,
        more=counted.more,
        facets=counted.facets,
        next=_encoded(page[-1]) if more else None,
        corrected=" ".join(better) if better and found else "",
    )


def _ranked(chosen: Filters, terms: Sequence[Term], key: str) -> list[Ranked]:
    return matching.ranked(terms=terms, key=key, narrowed=chosen.words())


def _browse(chosen: Filters, limit: int, after: str | None) -> SearchPage:
    counted = _counted(chosen, ())
    found = matching.matched((), chosen.words(), walked=counted.more)
    listed = found.annotate(exact_key=matching.index().title_key())
    if after is not None:
        position = _decoded(after)
        key, slug = position.title, position.slug
        # The first condition says the same again, as the range of the index to begin with.
        listed = listed.filter(Q(exact_key__gte=key), Q(exact_key__gt=key) | Q(slug__gt=slug))
    rows = list(listed.order_by("exact_key", "slug").values_list("slug", "title_key")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return SearchPage(
        slugs=tuple(slug for slug, _ in rows),
        total=counted.total,
        more=counted.more,
        facets=counted.facets,
        next=_encoded(Ranked(0, 0, *rows[-1])) if more else None,
    )


def _counted(chosen: Filters, terms: Sequence[Term]) -> facets.Counted:
    return facets.counted(
        within=lambda but: matching.matched(terms, chosen.words(but=but)),
        category=chosen.category,
        options=chosen.options,
    )


def _branch(category: str) -> list[str]:
    if not category:
        return []
    return [category, *Category.objects.filter(parent=category).values_list("slug", flat=True)]


def _cleaned(options: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The first choices, each option and value once; an option without any value is no choice."""
    chosen = {
        _clean(name): sorted({_clean(value) for value in values[:_MOST_VALUES]})
        for name, values in list(options.items())[:_MOST_OPTIONS]
        if values
    }
    return dict(sorted(chosen.items()))


def _clean(text: str) -> str:
    """The text as a database takes it: PostgreSQL refuses NUL."""
    return text[:200].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _encoded(position: Ranked) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def _decoded(cursor: str) -> Ranked:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        position = msgspec.json.decode(text, type=Ranked)
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError):
        raise InvalidCursor(after=cursor[:100]) from None
    if b"\\u0000" in text:  # no title has one, and PostgreSQL refuses to compare with it
        raise InvalidCursor(after=cursor[:100])
    return position
