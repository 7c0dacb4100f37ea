"""Keeping the tables that a module left, out of the way of one that comes back to their file."""

import sqlite3
from collections.abc import Sequence

from monolift.lift.movers.sqlite.files import writing
from monolift.lift.movers.sqlite.tables import Table, quoted, renaming

_KEPT = "monolift_kept_"


def keep(source: sqlite3.Connection, tables: Sequence[Table], *, epoch: int) -> list[str]:
    """Give them names that no move takes away, of the epoch in which they were left; which.

    Their indexes and triggers go: those that come back have the same names.
    """
    left = {table.gone: f"{_KEPT}{epoch}_{table.name}" for table in tables if table.module is None}
    with writing(source):
        rows = source.execute(
            "SELECT type, name, tbl_name FROM sqlite_master "
            "WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
        ).fetchall()
        for kind, name, table in rows:
            if table in left:
                source.execute(f"DROP {kind} {quoted(name)}")
        for name, kept in left.items():
            source.execute(renaming(name, kept))
    return list(left.values())
