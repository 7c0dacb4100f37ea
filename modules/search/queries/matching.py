"""Which documents match, and how well: bounded work, and the same order on every database."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Q, QuerySet

from modules.search.models import Document
from modules.search.provider import FullText, Scope, Term, full_text

MOST_RANKED = 1000
"""How many matches are put into order. Those whose title begins like the text are among them."""


type Narrowed = Sequence[Sequence[str]]
"""Groups of filter words: of each group, a document has one."""


class Ranked(NamedTuple):
    """A match; they sort by what they are: the best first."""

    grade: int
    words: int
    slug: str
    title: str


def index() -> FullText:
    """The full-text index beside the documents."""
    return full_text(alias=Document.objects.db)


def terms_of(words: Sequence[str]) -> list[Term]:
    """The words to find; the last may be the beginning of one."""
    return [Term(word, prefix=place == len(words)) for place, word in enumerate(words, 1)]


def shown() -> QuerySet[Document]:
    """The documents of products that are for sale."""
    return Document.objects.filter(shown=True)


def matched(
    terms: Sequence[Term], narrowed: Narrowed, *, walked: bool = False
) -> QuerySet[Document]:
    """The documents that have every word somewhere, and one of each group of filters."""
    if not terms and not narrowed:
        return shown()
    has = index().has(terms=terms, scope=Scope.ANYWHERE, narrowed=narrowed, walked=walked)
    return shown().filter(has)


def beginning(documents: QuerySet[Document], key: str) -> QuerySet[Document]:
    """Those whose title begins with the key, in order of title."""
    here = documents.filter(index().begins(key=key))
    return here.annotate(exact_key=index().title_key()).order_by("exact_key", "slug")


def ranked(
    *,
    terms: Sequence[Term],
    key: str,
    narrowed: Narrowed = (),
    most: int = MOST_RANKED,
    scopes: Sequence[Scope] = tuple(Scope),
) -> list[Ranked]:
    """The best matches in order, `most` of them at most."""
    found: dict[str, Ranked] = {}
    for slug, title, words, title_key in beginning(matched((), narrowed), key).values_list(
        "slug", "title", "title_words", "title_key"
    )[:most]:
        grade = 0 if title_key == key else 1
        found[slug] = Ranked(grade, words.count(" "), slug, title)
    for place, scope in enumerate(scopes):
        if len(found) >= most:
            break
        columns = scope.value
        rows = shown().filter(index().has(terms=terms, scope=scope, narrowed=narrowed))
        for slug, title, *texts in rows.order_by("id").values_list("slug", "title", *columns)[
            :most
        ]:
            if slug in found:
                continue
            every = {word for text in texts for word in text.split(" ")}
            whole = all(term.word in every for term in terms)
            grade = 2 + 2 * place + (not whole)
            found[slug] = Ranked(grade, texts[0].count(" "), slug, title)
    return sorted(found.values())[:most]


def exists(term: Term) -> bool:
    """Whether any document has the word."""
    has: Q = index().has(terms=[term], scope=Scope.ANYWHERE)
    return Document.objects.filter(has).exists()


def frequency(word: str, *, most: int = 100) -> int:
    """In how many documents the word is; counted up to `most`."""
    has: Q = index().has(terms=[Term(word)], scope=Scope.ANYWHERE)
    return Document.objects.filter(has)[:most].count()
