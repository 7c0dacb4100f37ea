"""Descriptions: from HTML to plain text, so that nothing executable ever reaches a page."""

import re
from html.parser import HTMLParser

# What is inside is no description: code, styles, other documents.
_DROPPED = frozenset(
    "script style template iframe object embed svg math noscript noembed noframes head title "
    "select textarea button canvas audio video applet frameset xmp plaintext".split()
)
_VOID = frozenset(["embed"])
_PARAGRAPHS = frozenset(
    "p div section article header footer h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre figure "
    "hr form fieldset".split()
)
_LINES = frozenset("br tr dt dd figcaption caption address".split())
_SPACES = re.compile(r"[^\S\n]+")
_BLANK = re.compile(r"\n{3,}")
# Characters that no text needs: they hide or reorder what is written around them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)


class _Text(HTMLParser):
    """Collects the text of a document; block elements become line breaks, list items dashes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._dropped = ""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropped:
            self._depth += tag == self._dropped
        elif tag in _DROPPED:
            if tag not in _VOID:
                self._dropped, self._depth = tag, 1
        else:
            self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._dropped:
            self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._dropped:
            self._depth -= tag == self._dropped
            if not self._depth:
                self._dropped = ""
        else:
            self._break("/" + tag)

    def handle_data(self, data: str) -> None:
        if not self._dropped:
            self.parts.append(_SPACES.sub(" ", data.replace("\n", " ")))

    def _break(self, tag: str) -> None:
        if tag == "li":
            self.parts.append("\n- ")
        elif tag.removeprefix("/") in _PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag in _LINES:
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")


def plain_text(html: str) -> str:
    """The text of a piece of HTML; paragraphs are separated by an empty line.

    Text without any markup keeps its line breaks. The result is text, not HTML: whoever puts it on
    a page escapes it, as templates do.
    """
    if "<" not in html and "&" not in html:
        return _tidy(html.replace("\r\n", "\n"))
    parser = _Text()
    parser.feed(html)
    parser.close()
    return _tidy("".join(parser.parts))


def _tidy(text: str) -> str:
    text = _INVISIBLE.sub("", text)
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return _BLANK.sub("\n\n", "\n".join(line for line in lines if line != "-")).strip()


def one_line(text: str) -> str:
    """A title, a tag, a value: white space is single spaces, nothing is invisible."""
    return " ".join(_INVISIBLE.sub("", text).split())
