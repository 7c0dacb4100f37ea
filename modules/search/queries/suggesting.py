"""Suggestions while somebody types."""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q

from modules.search.interface import Suggestion, SuggestionKind
from modules.search.models import Category
from modules.search.provider import Scope, analysis
from modules.search.queries import matching
from modules.search.queries.correcting import corrected

LARGEST = 20
_CATEGORIES = 3
_RANKED = 50


def suggest(*, text: str, limit: int) -> tuple[Suggestion, ...]:
    """See `Search.suggest`."""
    limit = max(1, min(limit, LARGEST))
    words = analysis.query_words(text)
    if not words:
        return ()
    found = _suggested(words, analysis.key(text))
    if not found and (better := corrected(matching.terms_of(words))):
        found = _suggested(better, " ".join(better))
    return tuple(found[:limit])


def _suggested(words: Sequence[str], key: str) -> list[Suggestion]:
    titles = matching.ranked(
        terms=matching.terms_of(words),
        key=key,
        most=_RANKED,
        scopes=(Scope.TITLE,),
    )
    products = [
        Suggestion(kind=SuggestionKind.PRODUCT, text=one.title, slug=one.slug) for one in titles
    ]
    return [*_categories(key), *products]


def _categories(key: str) -> list[Suggestion]:
    inside = matching.shown()
    used = Exists(inside.filter(category=OuterRef("slug"))) | Exists(
        inside.filter(
            category__in=Category.objects.filter(parent=OuterRef(OuterRef("slug"))).values("slug")
        )
    )
    named = Q(title_key__startswith=key) | Q(title_key__contains=f" {key}")
    rows = Category.objects.filter(named, used).order_by("title_key", "slug")[:_CATEGORIES]
    return [Suggestion(kind=SuggestionKind.CATEGORY, text=one.title, slug=one.slug) for one in rows]
