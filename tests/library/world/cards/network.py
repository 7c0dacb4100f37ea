"""The other side of the card network: a file that survives a killed process.

It deduplicates by key, as providers do, and remembers what it was told under a transaction of its
own, so nothing that happens in the shop's databases can undo it.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path


class Network:
    """What the network knows."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        with closing(self._open()) as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS authorisation "
                "(key TEXT PRIMARY KEY, card TEXT, amount INTEGER, state TEXT)"
            )

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, isolation_level=None, timeout=10)

    def authorise(self, *, key: str, card: str, amount: int) -> str:
        """Set money aside, once per key; the key is the reference."""
        with closing(self._open()) as database:
            database.execute(
                "INSERT OR IGNORE INTO authorisation VALUES (?, ?, ?, 'authorised')",
                (key, card, amount),
            )
        return key

    def move(self, *, reference: str, state: str) -> None:
        """Void or capture; a captured one is not voided."""
        allowed = "('authorised')" if state == "voided" else "('authorised', 'captured')"
        with closing(self._open()) as database:
            database.execute(
                f"UPDATE authorisation SET state = ? WHERE key = ? AND state IN {allowed}",
                (state, reference),
            )

    def states(self) -> list[str]:
        """The state of every authorisation."""
        with closing(self._open()) as database:
            return [row[0] for row in database.execute("SELECT state FROM authorisation")]

    def clear(self) -> None:
        """Forget everything."""
        with closing(self._open()) as database:
            database.execute("DELETE FROM authorisation")
