"""Counting SQL statements as the database driver sees them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connections

_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "SET ")


@contextmanager
def statements(*, control: bool = False) -> Iterator[list[str]]:
    """The statements that the block runs on this thread, on every database, in order.

    Transaction control is left out unless `control`. Counted by an `execute_wrapper`, and by the
    library itself where it speaks to the driver past Django's cursor.
    """
    seen: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if control or not sql.lstrip().upper().startswith(_CONTROL):
            seen.append(sql)
        return execute(sql, params, many, context)

    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(note))
        yield seen
