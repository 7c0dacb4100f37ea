"""One statement past Django's cursor, for the few that ride in every write.

On PostgreSQL Django's cursor costs as much as a third of the round trip. So a hot statement goes to
the driver, when that is sure to be the same: the transaction has begun, it is not broken, and
nobody listens (no `execute_wrapper`, no debug log). In every other case `registry.sql` runs it.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db import connections

from monolift.registry.sql import execute


class DirectStatement:
    """A statement with `%s` for its parameters, which are str or None."""

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def execute(self, alias: str, parameters: Sequence[str | None]) -> None:
        """Run it in the open transaction; errors are Django's."""
        connection: Any = connections[alias]
        if (
            connection.vendor != "postgresql"
            or connection.execute_wrappers
            or connection.needs_rollback
            or connection.connection is None
            or connection.queries_logged
            or not self._begun(connection.connection)
        ):
            execute(alias, self.sql, parameters)
        else:
            with connection.wrap_database_errors:
                self._send(connection.connection, parameters)

    @cached_property
    def _postgresql(self) -> bytes:
        first, *rest = self.sql.split("%s")
        numbered = (f"${number}{part}" for number, part in enumerate(rest, start=1))
        return (first + "".join(numbered)).encode()

    def _begun(self, driver: Any) -> bool:
        """psycopg sends BEGIN with the first statement; this must not be it."""
        from psycopg.pq import TransactionStatus

        return bool(driver.pgconn.transaction_status == TransactionStatus.INTRANS)

    def _send(self, driver: Any, parameters: Sequence[str | None]) -> None:
        from psycopg.errors import error_from_result
        from psycopg.pq import ExecStatus

        values = [None if value is None else value.encode() for value in parameters]
        # One round trip, not prepared: it passes PgBouncer in any mode.
        result = driver.pgconn.exec_params(self._postgresql, values)
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)
