"""SQLite files, opened beside Django: a move needs two at once, and views that stay."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connections

from monolift.lift.movers.sqlite.tables import Table, quoted
from monolift.lift.moving import Blocked

PAUSE = 0.002
"""Seconds between two batches that go into a file that others write."""
_BATCH = 2000


def file_of(alias: str) -> str:
    """The path of a database; Blocked when it is none of SQLite."""
    if connections[alias].vendor != "sqlite":
        raise Blocked(f"The database {alias!r} is not a SQLite file.")
    return str(connections[alias].settings_dict["NAME"])


@contextmanager
def opened(file: str, timeout: float = 5.0) -> Iterator[sqlite3.Connection]:
    """A connection of our own. Foreign keys are not checked: rows come in any order."""
    with closing(sqlite3.connect(file, timeout=timeout, isolation_level=None)) as link:
        link.execute("PRAGMA journal_mode = WAL")
        link.execute("PRAGMA synchronous = NORMAL")
        link.execute("PRAGMA recursive_triggers = ON")  # a row that is replaced is deleted
        link.execute("PRAGMA cache_size = -65536")  # KiB: of an index whose keys come in any order
        link.execute("PRAGMA legacy_alter_table = OFF")  # what refers to a table is renamed with it
        yield link


@contextmanager
def seen(file: str) -> Iterator[sqlite3.Connection]:
    """A connection to look with: a file that is not there is not made, and is empty."""
    with opened(file if Path(file).exists() else ":memory:") as link:
        yield link


@contextmanager
def writing(link: sqlite3.Connection) -> Iterator[None]:
    """A transaction that has the write lock from its begin."""
    link.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        link.execute("ROLLBACK")
        raise
    link.execute("COMMIT")


def touch(link: sqlite3.Connection) -> None:
    """Read something: a connection learns which tables there are, a transaction gets its view."""
    link.execute("SELECT 1 FROM sqlite_master").fetchone()


def has(link: sqlite3.Connection, name: str) -> bool:
    """Whether there is a table, an index or a trigger of that name."""
    found = link.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,))
    return found.fetchone() is not None


def count(link: sqlite3.Connection, table: Table, names: Sequence[str]) -> int:
    """The rows of a table under the first of these names that is there."""
    for name in names:
        if has(link, name):
            (found,) = link.execute(
                f"SELECT COUNT(*) FROM {quoted(name)} WHERE {table.where}", table.given
            ).fetchone()
            return int(found)
    return 0


def delete(link: sqlite3.Connection, table: Table) -> int:
    """Delete a table's rows some at a time, so that others can write in between; how many."""
    count = 0
    name = quoted(table.name)
    while True:
        with writing(link):
            deleted = link.execute(
                f"DELETE FROM {name} WHERE rowid IN "
                f"(SELECT rowid FROM {name} WHERE {table.where} LIMIT {_BATCH})",
                table.given,
            ).rowcount
        if not deleted:
            return count
        count += deleted
        time.sleep(PAUSE)
