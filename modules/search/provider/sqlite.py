"""Full text by SQLite's FTS5."""

from collections.abc import Sequence

from django.db.models import BooleanField, Expression, F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Collate

from modules.search.provider import LAST, Scope, Term

_MATCHING = "SELECT rowid FROM search_text WHERE search_text MATCH %s"

# The plus keeps SQLite, which has no statistics, from fetching every match first.
_WALKED = f"+search_document.id IN ({_MATCHING})"

# A list of ids too, else SQLite, which has no statistics, walks through a category instead.
_TITLED = "SELECT id FROM search_document WHERE shown = 1 AND title_key >= %s AND title_key < %s"


class SqliteFullText:
    """Asks the FTS5 table that triggers keep beside the documents."""

    def has(
        self,
        *,
        terms: Sequence[Term],
        scope: Scope,
        narrowed: Sequence[Sequence[str]] = (),
        walked: bool = False,
    ) -> Q:
        """See `FullText.has`. Words have no quotes, so that quoting them is enough."""
        parts = []
        if terms:
            columns = " ".join(scope.value)
            wanted = " AND ".join(f'"{term.word}"{"*" if term.prefix else ""}' for term in terms)
            parts.append(f"{{{columns}}} : ({wanted})")
        for group in narrowed:
            wanted = " OR ".join(f'"{word}"' for word in group)
            parts.append(f"{{filter_words}} : ({wanted})")
        wanted = " AND ".join(parts)
        if walked:
            return Q(RawSQL(_WALKED, [wanted], output_field=BooleanField()))  # noqa: S611 - a constant
        return Q(id__in=RawSQL(_MATCHING, [wanted]))  # noqa: S611 - a constant

    def begins(self, *, key: str) -> Q:
        """See `FullText.begins`."""
        return Q(id__in=RawSQL(_TITLED, [key, key + LAST]))  # noqa: S611 - a constant

    def title_key(self) -> Expression:
        """See `FullText.title_key`."""
        return Collate(F("title_key"), "BINARY")
