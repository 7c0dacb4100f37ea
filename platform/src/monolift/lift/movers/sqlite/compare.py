"""Comparing both sides of a move, row for row."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Self

from monolift.lift.movers.sqlite.feed import selected
from monolift.lift.movers.sqlite.files import touch
from monolift.lift.movers.sqlite.tables import Table, listed, quoted

_MOST = 10
"""Differences that are named; one is enough to go back."""


class Views:
    """Both files, and from `freeze` on as they were then, whatever is committed later.

    They stay open at the end of the block if it succeeds. Made before anybody waits: to open a file
    takes its time.
    """

    def __init__(self, source: str, target: str) -> None:
        self._links = [sqlite3.connect(file, isolation_level=None) for file in (source, target)]
        for link in self._links:
            touch(link)

    def freeze(self) -> None:
        """From now on nothing changes in them."""
        for link in self._links:
            link.execute("BEGIN")
            touch(link)

    def compared(self, tables: Sequence[Table]) -> tuple[int, list[str]]:
        """See `compare`. Closes them."""
        source, target = self._links
        try:
            return compare(source, target, tables)
        finally:
            self.close()

    def close(self) -> None:
        """Give the connections back."""
        for link in self._links:
            link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.close()


def compare(
    source: sqlite3.Connection, target: sqlite3.Connection, tables: Sequence[Table]
) -> tuple[int, list[str]]:
    """How many rows were compared, and the first that differ.

    Of views in which the one file has not closed the module, and the other not opened it.
    """
    return _compared(
        (table, _rows(source, table, table.name), _rows(target, table, table.coming))
        for table in tables
    )


def compare_left(
    source: sqlite3.Connection,
    target: sqlite3.Connection,
    tables: Sequence[Table],
    *,
    changed: Mapping[str, Collection[int]],
) -> tuple[int, list[str]]:
    """The same some time after the cut-over, of the module's own tables.

    They are at the source as they were left. Rows that have changed at the target since are left
    out: `changed` has their numbers, by table.
    """

    def kept(table: Table, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        return (row for row in rows if row[0] not in changed.get(table.name, ()))

    return _compared(
        (
            table,
            kept(table, _rows(source, table, table.gone)),
            kept(table, _rows(target, table, table.name)),
        )
        for table in tables
        if table.module is None
    )


def _compared(
    sides: Iterable[tuple[Table, Iterator[tuple[Any, ...]], Iterator[tuple[Any, ...]]]],
) -> tuple[int, list[str]]:
    count = 0
    found: list[str] = []
    for table, here, there in sides:
        for one, other in zip_longest(here, there):
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
