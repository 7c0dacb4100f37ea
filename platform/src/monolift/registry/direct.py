"""One statement past Django's cursor, for the few that ride in every write.

Django's cursor costs as much as the statement on SQLite and a third of the round trip on
PostgreSQL. So a hot statement goes to the driver, when that is sure to be the same: the transaction
has begun, it is not broken, and nobody listens (no `execute_wrapper`, no debug log). In every other
case `registry.sql` runs it.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from monolift.registry.sql import execute

_prepared: WeakKeyDictionary[Any, set[bytes]] = WeakKeyDictionary()


class DirectStatement:
    """A statement with `%s` for its parameters, which are str or None.

    On PostgreSQL it is prepared once a connection, if the project allows prepared statements there
    (`OPTIONS["prepare_threshold"]` is set): some poolers mix sessions and do not bear them.
    """

    def __init__(self, sql: str, *, name: str) -> None:
        self.sql = sql
        self.name = name.encode()

    def execute(self, connection: Any, parameters: Sequence[str | None]) -> None:
        """Run it in the open transaction of a Django connection; errors are Django's."""
        driver = connection.connection
        if (
            connection.vendor != "postgresql"
            or driver is None
            or connection.execute_wrappers
            or connection.needs_rollback
            or connection.queries_logged
            or not self._begun(driver)
        ):
            execute(connection.alias, self.sql, parameters)
        else:
            with connection.wrap_database_errors:
                self._send(driver, parameters)

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
        if driver.prepare_threshold is None:
            result = driver.pgconn.exec_params(self._postgresql, values)
        else:
            known = _prepared.setdefault(driver, set())
            if self.name not in known:
                result = driver.pgconn.prepare(self.name, self._postgresql)
                if result.status != ExecStatus.COMMAND_OK:
                    raise error_from_result(result)
                known.add(self.name)
            result = driver.pgconn.exec_prepared(self.name, values)
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)
