"""Triggers of a module's tables: those that feed a full text, and those that do anything else.

The first have to fire while rows are copied, or the full text would lack them. The others must not:
what they do for a row they have done at the source, and that is copied too.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

_NOISE = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_BEGIN = re.compile(r"\bBEGIN\b", re.IGNORECASE)
_WRITE = re.compile(
    r"\b(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|DELETE\s+FROM|UPDATE(?:\s+OR\s+\w+)?)\s+"
    r"(?!SET\b)(?:\w+\s*\.\s*)?(\"[^\"]+\"|`[^`]+`|\[[^\]]+\]|''|\w+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trigger:
    """A trigger in a file."""

    name: str
    table: str
    """What its table is called at the moment."""
    sql: str
    feeds: bool
    """Whether it writes full texts."""
    does_more: bool
    """Whether it writes anything else, or nothing."""


def triggers(
    rows: Iterable[tuple[str, str, str, str]], *, tables: Collection[str], virtual: Collection[str]
) -> Iterator[Trigger]:
    """Those of some tables, but for the platform's, from rows of `sqlite_master`."""
    texts = {name.lower() for name in virtual}
    for kind, name, table, sql in rows:
        if kind == "trigger" and table in tables and not name.startswith("monolift_"):
            written = _written(sql)
            yield Trigger(
                name=name,
                table=table,
                sql=sql,
                feeds=bool(written & texts),
                does_more=not written or bool(written - texts),
            )


def _written(sql: str) -> set[str]:
    body = _BEGIN.split(_NOISE.sub("''", sql), maxsplit=1)[-1]
    return {name.strip('"`[]').lower() for name in _WRITE.findall(body)}
