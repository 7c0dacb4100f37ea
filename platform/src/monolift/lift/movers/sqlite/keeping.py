"""Keeping the tables that a module left, out of the way of one that comes back to their file."""

import sqlite3
from collections.abc import Sequence

from monolift.lift.movers.sqlite.files import writing
from monolift.lift.movers.sqlite.tables import Table, quoted, renaming

_KEPT = "monolift_kept_"


def keep(source: sqlite3.Connection, tables: Sequence[Table], *, epoch: int) -> list[str]:
    """Give them names that no move takes away, of the epoch in which they were left; which.

    Their indexes and triggers go: those that come back have the same names. Also after a kill.
    """
    kept = f"{_KEPT}{epoch}_"
    left = {table.gone: f"{kept}{table.name}" for table in tables if table.module is None}
    with writing(source):
        rows = source.execute(
            "SELECT type, name, tbl_name FROM sqlite_master "
            "WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
        ).fetchall()
        for kind, name, table in rows:
            if table in left:
                source.execute(f"DROP {kind} {quoted(name)}")
        for name, new in left.items():
            source.execute(renaming(name, new))
        named = source.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        return [name for (name,) in named if name.startswith(kept)]
