"""What a word without any match may have been meant for."""

from collections.abc import Sequence

from modules.search.models import Shortening
from modules.search.provider import Term, spelling
from modules.search.queries import matching

_MOST_CANDIDATES = 200
_MOST_COUNTED = 8


def corrected(terms: Sequence[Term]) -> list[str] | None:
    """The words with those that nothing has replaced by near ones; None when there are none."""
    words = [term.word if matching.exists(term) else _nearest(term.word) for term in terms]
    return None if words == [term.word for term in terms] else words


def _nearest(word: str) -> str:
    """The nearest word that products have, of several the most frequent; else the word itself."""
    allowed = spelling.tolerance(word)
    if not allowed or not spelling.correctable(word):
        return word
    candidates = (
        Shortening.objects.filter(text__in=sorted(spelling.shortenings(word)))
        .values_list("word", flat=True)
        .distinct()
        .order_by("word")[:_MOST_CANDIDATES]
    )
    near = sorted(
        (apart, candidate)
        for candidate in candidates
        if (apart := spelling.distance(word, candidate)) <= allowed
    )
    counted = [
        (apart, -count, candidate)
        for apart, candidate in near[:_MOST_COUNTED]
        if (count := matching.frequency(candidate))
    ]
    return min(counted)[2] if counted else word
