"""One statement past Django's cursor, for the few that ride in every write.

Django's cursor costs as much as the statement on SQLite and a third of the round trip on
PostgreSQL. So a hot statement goes to the driver, when that is sure to be the same: the transaction
has begun, it is not broken, and nobody listens (no `execute_wrapper`, no debug log). In every other
case `registry.sql` runs it.

What nobody reads back before the commit can wait and travel with it: one round trip instead of two.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from monolift.registry.sql import execute, listened
from monolift.registry.transactions import PlatformAtomic, WithCommit, error_of, forget_unknown

_prepared: WeakKeyDictionary[Any, set[bytes]] = WeakKeyDictionary()


class DirectStatement:
    """A statement with `%s` for its parameters, which are str or None.

    On PostgreSQL it is prepared once a connection, if the project allows prepared statements there
    (`OPTIONS["prepare_threshold"]` is set): some poolers mix sessions and do not bear them. And if
    psycopg prepares none by itself (`OPTIONS["server_side_binding"]`): it takes away all that there
    are when a transaction is rolled back.
    """

    def __init__(self, sql: str, *, name: str) -> None:
        self.sql = sql
        self.name = name.encode()

    def execute(self, connection: Any, parameters: Sequence[str | None]) -> None:
        """Run it in the open transaction of a Django connection; errors are Django's."""
        if self._direct(connection):
            with connection.wrap_database_errors:
                self._send(connection.connection, parameters)
        else:
            execute(connection.alias, self.sql, parameters)

    def execute_with_commit(self, connection: Any, parameters: Sequence[str | None]) -> None:
        """Run it when the open transaction commits, or now; its error is then the commit's.

        It waits where statements may be prepared, in a transaction of `atomic()`, among Django's
        hooks of the commit: so a nested `atomic()` that is rolled back takes it along (not so a
        savepoint that is made by hand), and several keep their order.
        """
        blocks = connection.atomic_blocks
        if (
            blocks
            and isinstance(blocks[0], PlatformAtomic)
            and self._direct(connection)
            and _named(connection.connection)
        ):
            with connection.wrap_database_errors:
                known = self._prepare(connection.connection)
            waiting = WithCommit(self.name, _encoded(parameters), known)
            connection.run_on_commit.append((set(connection.savepoint_ids), waiting, True))
        else:
            self.execute(connection, parameters)

    def _direct(self, connection: Any) -> bool:
        driver = connection.connection
        return not (
            connection.vendor != "postgresql"
            or driver is None
            or listened(connection)
            or connection.needs_rollback
            or connection.queries_logged
            or not self._begun(driver)
        )

    @cached_property
    def _postgresql(self) -> bytes:
        first, *rest = self.sql.split("%s")
        numbered = (f"${number}{part}" for number, part in enumerate(rest, start=1))
        return (first + "".join(numbered)).encode()

    def _begun(self, driver: Any) -> bool:
        """psycopg sends BEGIN with the first statement; this must not be it."""
        from psycopg.pq import TransactionStatus

        return bool(driver.pgconn.transaction_status == TransactionStatus.INTRANS)

    def _prepare(self, driver: Any) -> set[bytes]:
        known = _prepared.setdefault(driver, set())
        if self.name not in known:
            _check(driver.pgconn.prepare(self.name, self._postgresql))
            known.add(self.name)
        return known

    def _send(self, driver: Any, parameters: Sequence[str | None]) -> None:
        values = _encoded(parameters)
        if _named(driver):
            known = self._prepare(driver)
            result = driver.pgconn.exec_prepared(self.name, values)
            forget_unknown(result, known)
            _check(result)
        else:
            _check(driver.pgconn.exec_params(self._postgresql, values))


def _named(driver: Any) -> bool:
    from psycopg import ClientCursor

    return driver.prepare_threshold is not None and issubclass(driver.cursor_factory, ClientCursor)


def _encoded(parameters: Sequence[str | None]) -> list[bytes | None]:
    return [None if value is None else value.encode() for value in parameters]


def _check(result: Any) -> None:
    from psycopg.pq import ExecStatus

    if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        raise error_of(result)
