"""From text to words, the same for what is indexed and for what is searched.

Text is folded (Unicode case folding, compatibility decomposition, accents dropped) and cut into
runs of letters, marks and digits. Chinese and Japanese have no spaces, so that their runs become
overlapping pairs of characters, as in Lucene's CJK analyser, and single ones for the index.
"""

import re
import unicodedata
from collections.abc import Iterator

LONGEST_WORD = 40
MOST_WORDS = 12
"""How many words of a search count."""

_LONGEST_QUERY = 400
_APOSTROPHES = str.maketrans("", "", "'\u2019\u02bc")
_KEPT = frozenset("LNM")
# Below 10 are marks that make another letter (Japanese voicing, viramas); above, accents.
_FIRST_ACCENT = 10
_CJK = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+|"
    "[^\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+"
)


def plain(text: str) -> list[str]:
    """The words of a text as they are written, folded."""
    if text.isascii():
        folded = text.translate(_APOSTROPHES).lower()
    else:
        spread = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES).casefold())
        bare = "".join(one for one in spread if unicodedata.combining(one) < _FIRST_ACCENT)
        folded = unicodedata.normalize("NFC", bare)
    cut = "".join(one if unicodedata.category(one)[0] in _KEPT else " " for one in folded)
    return [word[:LONGEST_WORD] for word in cut.split()]


def key(text: str, *, longest: int = 300) -> str:
    """A text as one normal line, so that texts that differ in case or marks only are equal."""
    return " ".join(plain(text))[:longest]


def index_words(text: str) -> list[str]:
    """The words that a document with this text is found by, each once, in order."""
    return list(dict.fromkeys(part for word in plain(text) for part in _parts(word, single=True)))


def query_words(text: str) -> list[str]:
    """The words to look for, each once, in order; a long text counts by its beginning."""
    words = plain(text[:_LONGEST_QUERY])
    parts = dict.fromkeys(part for word in words for part in _parts(word, single=False))
    return list(parts)[:MOST_WORDS]


def _parts(word: str, *, single: bool) -> Iterator[str]:
    if word.isascii():
        yield word
        return
    for run in _CJK.findall(word):
        if not _is_cjk(run):
            yield run
            continue
        if single or len(run) == 1:
            yield from run
        yield from (run[place : place + 2] for place in range(len(run) - 1))


def _is_cjk(run: str) -> bool:
    first = run[0]
    return "\u3040" <= first <= "\u9fff" or "\uf900" <= first <= "\ufaff" or first >= "\U00020000"
