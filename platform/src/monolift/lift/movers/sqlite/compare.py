"""Comparing both sides of a move, row for row."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from monolift.lift.movers.sqlite.feed import selected
from monolift.lift.movers.sqlite.tables import Table, listed, quoted

_MOST = 10
"""Differences that are named; one is enough to go back."""


def compare(
    source: sqlite3.Connection, target: sqlite3.Connection, tables: Sequence[Table]
) -> tuple[int, list[str]]:
    """How many rows were compared, and the first that differ.

    Of views in which the one file has not closed the module, and the other not opened it.
    """
    count = 0
    found: list[str] = []
    for table in tables:
        for one, other in zip_longest(
            _rows(source, table, table.name), _rows(target, table, table.coming)
        ):
            count += 1
            if one != other:
                found.append(f"{table.name}: {_key(table, one or other)}")
                if len(found) == _MOST:
                    return count, found
    return count, found


def _rows(link: sqlite3.Connection, table: Table, called: str) -> Iterator[tuple[Any, ...]]:
    order = "rowid" if table.key == ("rowid",) else listed(table.key)
    yield from link.execute(
        f"SELECT {selected(table)} FROM {quoted(called)} WHERE {table.where} ORDER BY {order}",
        table.given,
    )


def _key(table: Table, row: tuple[Any, ...] | None) -> str:
    if row is None:
        return "?"
    values = dict(zip(table.columns, row, strict=True))
    return ", ".join(f"{column} {values[column]}" for column in table.key)
