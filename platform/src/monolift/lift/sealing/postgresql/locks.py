"""Locks on tables that writers are using."""

from collections.abc import Iterable

from django.db import OperationalError
from psycopg import errors

from monolift.lift.sealing.postgresql import rights
from monolift.lift.sealing.postgresql.sides import Session
from monolift.lift.sealing.postgresql.tables import PLATFORM
from monolift.lift.sealing.postgresql.tries import patience

_WRITTEN_LAST = ("monolift_outbox", "monolift_delivery")
"""What the platform writes after the module's own tables; all else it writes before them."""


def lock_order(tables: Iterable[str]) -> list[str]:
    """A module's tables and the platform's, in the order in which a transaction writes them."""
    first = [name for name in PLATFORM if name not in _WRITTEN_LAST]
    return [*first, *tables, *_WRITTEN_LAST]


class TableLocks:
    """All of them in one transaction, taken in the order in which the writers take theirs.

    Who holds the table that a writer needs next, and waits for one that this writer has, waits in
    vain until one of them gives up. In which order a module writes its own tables is not known, so
    it is learned: a table that was waited for in vain comes first in the next try.
    """

    def __init__(self, tables: Iterable[str]) -> None:
        self._tables = lock_order(tables)

    def take(self, session: Session) -> None:
        """In the open transaction, with a short wait for each. Raises OperationalError that names
        the table; made for `again`.
        """
        session.execute(patience())
        for table in self._tables:
            try:
                session.execute(rights.lock_tables([table]))
            except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
                self._tables = [table, *(name for name in self._tables if name != table)]
                raise OperationalError(f"{table}: {error}") from error
