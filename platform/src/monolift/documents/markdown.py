"""The Markdown that GitHub, GitLab and most site generators render alike."""

import re
from collections.abc import Iterable, Sequence

MARK = "<!-- Written by `monolift docs`. Do not edit. -->"
"""The first line of every page: what has it may be written anew, and deleted."""

_DROPPED = re.compile(r"[^\w\- ]")


def page(*blocks: str) -> str:
    """A page of blocks with an empty line between them; empty blocks are left out."""
    return "\n\n".join((MARK, *(block.strip("\n") for block in blocks if block))) + "\n"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty when it has no rows."""
    lines = [_row(row) for row in rows]
    if not lines:
        return ""
    return "\n".join((_row(titles), "|" + "---|" * len(titles), *lines))


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def prose(text: str) -> str:
    """A docstring as text of a page: no tag in it is taken for HTML."""
    return text.replace("<", "&lt;")


def code(text: str) -> str:
    """A piece of code in a line; empty for nothing."""
    if not text:
        return ""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def codes(texts: Iterable[str]) -> str:
    """Several pieces of code."""
    return ", ".join(code(text) for text in texts)


def fence(text: str, language: str) -> str:
    """A block of code or of a diagram."""
    return f"```{language}\n{text}\n```"


def anchor(heading: str) -> str:
    """What a link to a heading ends in."""
    return "#" + _DROPPED.sub("", heading.lower()).replace(" ", "-")


def link(text: str, target: str) -> str:
    """A link; only the text without a target."""
    return f"[{text}]({target})" if target else text
