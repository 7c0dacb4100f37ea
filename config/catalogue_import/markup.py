"""Descriptions: from HTML to plain text, so that nothing executable ever reaches a page.

Not built on `html.parser`: on markup that is broken on purpose it takes minutes for a cell.
"""

import html
import re
from collections.abc import Iterator

# What is inside is no description: code, styles, other documents.
_DROPPED = frozenset(
    "script style template iframe object svg math noscript noembed noframes head title select "
    "textarea button canvas audio video applet frameset xmp plaintext".split()
)
_PARAGRAPHS = frozenset(
    "p div section article header footer h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre figure "
    "hr form fieldset".split()
)
_LINES = frozenset("br tr dt dd figcaption caption address".split())
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9:-]*)")
_REST_OF_TAG = re.compile(r"""(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK = re.compile(r"\n{3,}")
# More digits than a character can have, which `int` might refuse to read.
_LONG_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{8,};?")
# Characters that no text needs: they hide or reorder what is written around them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)


def plain_text(markup: str) -> str:
    """The text of a piece of HTML; paragraphs are separated by an empty line.

    Text without any markup keeps its line breaks. The result is text, not HTML: whoever puts it on
    a page escapes it, as templates do. Takes time in proportion to the length, whatever is in it.
    """
    if "<" not in markup and "&" not in markup:
        return _tidy(markup.replace("\r\n", "\n"))
    return _tidy("".join(_parts(markup)))


def one_line(text: str) -> str:
    """A title, a tag, a value: white space is single spaces, nothing is invisible."""
    return " ".join(_INVISIBLE.sub("", text).split())


def _parts(markup: str) -> Iterator[str]:
    """The texts between the tags, and the white space that the tags stand for."""
    position = 0
    quotes = True
    while (start := markup.find("<", position)) >= 0:
        yield _text(markup[position:start])
        tag = _TAG.match(markup, start)
        if tag is None:
            if markup.startswith(("<!", "<?", "</"), start):
                position = _after(markup, "-->" if markup.startswith("<!--", start) else ">", start)
            else:
                yield "<"
                position = start + 1
            continue
        rest = _REST_OF_TAG.match(markup, tag.end()) if quotes else None
        # A quote that is never closed is not looked for again.
        quotes = quotes and rest is not None
        position = rest.end() if rest else _after(markup, ">", tag.end())
        name = tag[1].lower()
        if name in _DROPPED and not tag[0].startswith("</"):
            end = re.compile(f"</{name}\\b", re.IGNORECASE).search(markup, position)
            position = end.start() if end else len(markup)
        else:
            yield _white_space(name, closing=tag[0].startswith("</"))
    yield _text(markup[position:])


def _after(markup: str, end: str, position: int) -> int:
    found = markup.find(end, position)
    return len(markup) if found < 0 else found + len(end)


def _white_space(name: str, *, closing: bool) -> str:
    if name in _PARAGRAPHS:
        return "\n\n"
    if name == "li":
        return "" if closing else "\n- "
    if name in _LINES:
        return "\n"
    return " " if name in ("td", "th") else ""


def _text(raw: str) -> str:
    return _SPACES.sub(" ", html.unescape(_LONG_REFERENCE.sub("", raw)).replace("\n", " "))


def _tidy(text: str) -> str:
    text = _INVISIBLE.sub("", text)
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return _BLANK.sub("\n\n", "\n".join(line for line in lines if line != "-")).strip()
