"""Full text by PostgreSQL's tsvector, without extensions."""

from collections.abc import Sequence

from django.db.models import BooleanField, Expression, F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Collate

from modules.search.provider import LAST, Scope, Term

_COLUMNS = {
    Scope.TITLE: "title_vector",
    Scope.HEADING: "heading_vector",
    Scope.ANYWHERE: "full_vector",
}

_TITLED = 'shown AND title_key COLLATE "C" >= %s AND title_key COLLATE "C" < %s'


def _matches(column: str, wanted: str) -> Q:
    return Q(RawSQL(f"{column} @@ %s::tsquery", [wanted], output_field=BooleanField()))  # noqa: S611 - a constant


class PostgresqlFullText:
    """Asks the generated columns of the documents, which have a GIN index each.

    A column for each scope in place of weights in one: GIN does not keep weights, so that a weight
    would be looked up in every row that has the word anywhere.
    """

    def has(
        self,
        *,
        terms: Sequence[Term],
        scope: Scope,
        narrowed: Sequence[Sequence[str]] = (),
        walked: bool = False,
    ) -> Q:
        """See `FullText.has`. Words have no quotes, so that quoting them is enough.

        Statistics tell PostgreSQL by itself when to walk.
        """
        found = Q()
        if terms:
            wanted = " & ".join(f"'{term.word}'{':*' if term.prefix else ''}" for term in terms)
            found &= _matches(_COLUMNS[scope], wanted)
        if narrowed:
            groups = (" | ".join(f"'{word}'" for word in group) for group in narrowed)
            found &= _matches("filter_vector", " & ".join(f"({group})" for group in groups))
        return found

    def begins(self, *, key: str) -> Q:
        """See `FullText.begins`."""
        titled = RawSQL(_TITLED, [key, key + LAST], output_field=BooleanField())  # noqa: S611 - a constant
        return Q(titled)

    def title_key(self) -> Expression:
        """See `FullText.title_key`."""
        return Collate(F("title_key"), "C")
