"""What was in the file before, on disk: the file may be larger than the memory."""

import sqlite3
from typing import Literal

type Kind = Literal["handle", "sku", "image"]


class Seen:
    """Names by kind, each with the line where it was first; gone when this is closed."""

    def __init__(self) -> None:
        # An empty name is a private database in a temporary file.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("BEGIN")
        self._database.execute(
            "CREATE TABLE seen (kind TEXT, name TEXT, line INTEGER, PRIMARY KEY (kind, name)) "
            "WITHOUT ROWID"
        )

    def before(self, kind: Kind, name: str, *, line: int) -> int | None:
        """The line where the name was before; None for a new one, which is remembered."""
        added = self._database.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (kind, name, line)
        )
        return None if added.rowcount else self.line(kind, name)

    def line(self, kind: Kind, name: str) -> int | None:
        """The line where the name was first, if it was."""
        row = self._database.execute(
            "SELECT line FROM seen WHERE kind = ? AND name = ?", (kind, name)
        ).fetchone()
        return None if row is None else int(row[0])

    def close(self) -> None:
        """Forget everything."""
        self._database.close()
