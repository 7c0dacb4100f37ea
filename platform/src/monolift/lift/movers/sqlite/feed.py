"""What changes at the source while rows are copied: triggers note it, and it is copied again."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from monolift.lift.movers.sqlite.tables import Table, listed, quoted

BATCH = 2000
"""Rows of one commit into a file that others write."""
BULK = 10 * BATCH
"""Rows of one commit into a file that nobody else uses."""
_EVENTS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


class Feed:
    """The notes of one module's changes, in the source's file, and their way to the target."""

    def __init__(self, module: str, tables: Sequence[Table]) -> None:
        self._table = f"monolift_feed_{module}"
        self._tables = {table.name: table for table in tables}

    def exists(self, source: sqlite3.Connection) -> bool:
        """Whether changes are noted."""
        found = source.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (self._table,))
        return found.fetchone() is not None

    def begin(self, execute: Callable[..., Any]) -> None:
        """Note every change from now on. Inside a transaction."""
        execute(
            f"CREATE TABLE IF NOT EXISTS {quoted(self._table)} "
            "(id INTEGER PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL)"
        )
        for name, table in self._tables.items():
            for event, rows in _EVENTS.items():
                execute(
                    f"CREATE TRIGGER IF NOT EXISTS {quoted(self._trigger(name, event))} "
                    f"AFTER {event} ON {quoted(name)} {self._only(table, rows)} BEGIN "
                    + "".join(
                        f"INSERT INTO {quoted(self._table)} (name, key) VALUES ("
                        f"'{name}', json_array({', '.join(f'{row}.{_id(c)}' for c in table.key)}));"
                        for row in rows
                    )
                    + " END"
                )

    def end(self, execute: Callable[..., Any]) -> None:
        """Note no more. Inside a transaction."""
        for name in self._tables:
            for event in _EVENTS:
                execute(f"DROP TRIGGER IF EXISTS {quoted(self._trigger(name, event))}")
        execute(f"DROP TABLE IF EXISTS {quoted(self._table)}")

    def note(self, source: sqlite3.Connection, table: str, where: str) -> None:
        """Note rows as if they had just changed. Inside a transaction."""
        noted = self._tables[table]
        source.execute(
            f"INSERT INTO {quoted(self._table)} (name, key) "
            f"SELECT '{table}', json_array({', '.join(map(_id, noted.key))}) "
            f"FROM {quoted(table)} WHERE {noted.where} AND {where}",
            noted.given,
        )

    def changed(self, source: sqlite3.Connection) -> dict[str, set[int]]:
        """The numbers of the rows that are noted, by table; where a number is the key."""
        found: dict[str, set[int]] = {}
        for name, key in source.execute(f"SELECT DISTINCT name, key FROM {quoted(self._table)}"):
            found.setdefault(name, set()).update(msgspec.json.decode(key))
        return found

    def behind(self, source: sqlite3.Connection) -> int:
        """Notes that have not been carried over."""
        (count,) = source.execute(f"SELECT COUNT(*) FROM {quoted(self._table)}").fetchone()
        return int(count)

    def carry(self, source: sqlite3.Connection, target: sqlite3.Connection) -> tuple[int, int]:
        """Copy what is noted once more, in the target's open transaction.

        The number of rows, and the last note: `forget` it when the target has committed.
        """
        if not source.in_transaction:  # else it holds the write lock: what it sees stays
            source.execute("BEGIN")
            try:
                return self._carry(source, target)
            finally:
                source.execute("COMMIT")
        return self._carry(source, target)

    def _carry(self, source: sqlite3.Connection, target: sqlite3.Connection) -> tuple[int, int]:
        notes = source.execute(
            f"SELECT MAX(id), name, key FROM {quoted(self._table)} GROUP BY name, key"
        ).fetchall()
        changed = [(self._tables[name], msgspec.json.decode(key)) for _, name, key in notes]
        # First all are taken out: what one row was called before may be what another is called now.
        for table, key in changed:
            target.execute(f"DELETE FROM {quoted(table.coming)} WHERE {_found(table)}", key)
        for table, key in changed:
            row = source.execute(
                f"SELECT {selected(table)} FROM {quoted(table.name)} "
                f"WHERE {_found(table)} AND {table.where}",
                (*key, *table.given),
            ).fetchone()
            if row is not None:
                insert(target, table, [row])
        return len(notes), max((last for last, _, _ in notes), default=0)

    def forget(self, source: sqlite3.Connection, last: int) -> None:
        """Take the notes that were carried over away."""
        source.execute(f"DELETE FROM {quoted(self._table)} WHERE id <= ?", (last,))

    def _trigger(self, table: str, event: str) -> str:
        return f"{self._table}_{table}_{event.lower()}"

    @staticmethod
    def _only(table: Table, rows: Sequence[str]) -> str:
        if table.module is None:
            return ""
        return "WHEN " + " OR ".join(f"{row}.module = '{table.module}'" for row in rows)


def insert(target: sqlite3.Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows as they are.

    What has the place of one of them, by any key, has changed at the source since it was copied: it
    is noted, and will be copied again.
    """
    marks = ", ".join("?" * len(table.columns))
    target.executemany(
        f"INSERT OR REPLACE INTO {quoted(table.coming)} ({selected(table)}) VALUES ({marks})", rows
    )


def batches(
    source: sqlite3.Connection, table: Table, *, most: int = BATCH
) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a table, some at a time; between two, the file is free for others."""
    beyond, after = "1", tuple[int, ...]()  # a number may be 0 or below
    while True:
        rows = source.execute(
            f"SELECT rowid, {selected(table)} FROM {quoted(table.name)} "
            f"WHERE {beyond} AND {table.where} ORDER BY rowid LIMIT {most}",
            (*after, *table.given),
        ).fetchall()
        if not rows:
            return
        beyond, after = "rowid > ?", (rows[-1][0],)
        yield [row[1:] for row in rows]


def selected(table: Table) -> str:
    """Its columns in a statement."""
    first, *rest = table.columns
    return f"rowid, {listed(rest)}" if first == "rowid" else listed(table.columns)


def _found(table: Table) -> str:
    return " AND ".join(f"{_id(column)} = ?" for column in table.key)


def _id(column: str) -> str:
    return column if column == "rowid" else quoted(column)
