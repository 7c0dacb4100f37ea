"""Full text by PostgreSQL's tsvector, without extensions."""

from collections.abc import Sequence

from django.db.models import BooleanField, Expression, F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Collate

from modules.search.provider import Scope, Term

_COLUMNS = {
    Scope.TITLE: "title_vector",
    Scope.HEADING: "heading_vector",
    Scope.ANYWHERE: "full_vector",
}


class PostgresqlFullText:
    """Asks the generated columns of the documents, which have a GIN index each.

    A column for each scope in place of weights in one: GIN does not keep weights, so that a weight
    would be looked up in every row that has the word anywhere.
    """

    def has(self, *, terms: Sequence[Term], scope: Scope) -> Q:
        """See `FullText.has`. Words have no quotes, so that quoting them is enough."""
        wanted = " & ".join(f"'{term.word}'{':*' if term.prefix else ''}" for term in terms)
        matches = f"{_COLUMNS[scope]} @@ %s::tsquery"
        return Q(RawSQL(matches, [wanted], output_field=BooleanField()))  # noqa: S611 - a constant

    def title_key(self) -> Expression:
        """See `FullText.title_key`."""
        return Collate(F("title_key"), "C")
