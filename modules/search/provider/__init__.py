"""The port to the database's own full-text search, one adapter for each kind of database.

An adapter only says which documents match; the order is made from their words, so that it is the
same everywhere. Words are made here too (`analysis`), and databases never split text themselves.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from django.db import connections
from django.db.models import Expression, Q


class Term(NamedTuple):
    """A word to be found: whole, or as a beginning."""

    word: str
    prefix: bool = False


class Scope(Enum):
    """Where all the words must be, each scope within the next."""

    TITLE = ("title_words",)
    HEADING = ("title_words", "keyword_words")
    ANYWHERE = ("title_words", "keyword_words", "description_words")


class FullText(Protocol):
    """Conditions on `Document`, answered from indexes."""

    def has(
        self,
        *,
        terms: Sequence[Term],
        scope: Scope,
        narrowed: Sequence[Sequence[str]] = (),
        walked: bool = False,
    ) -> Q:
        """The document has all these words in the scope, and of each group of filters one.

        Something has to be asked for; see `filters` for the words of `narrowed`. `walked` says
        that very many documents match and the first ones in order of title are wanted: walking
        through the titles finds them sooner than sorting all matches.
        """
        ...

    def begins(self, *, key: str) -> Q:
        """The document is for sale, and its title key begins with this one."""
        ...

    def title_key(self) -> Expression:
        """The document's title key, compared by code points on every database."""
        ...


LAST = "\U0010ffff"
"""Behind every character: texts that begin with another lie between it, and it with this."""


def full_text(*, alias: str) -> FullText:
    """The adapter for a database."""
    from modules.search.provider.postgresql import PostgresqlFullText
    from modules.search.provider.sqlite import SqliteFullText

    vendor = connections[alias].vendor
    match vendor:
        case "postgresql":
            return PostgresqlFullText()
        case "sqlite":
            return SqliteFullText()
    raise NotImplementedError(
        f"Search has no index for {vendor}: put the module on PostgreSQL or SQLite."
    )
