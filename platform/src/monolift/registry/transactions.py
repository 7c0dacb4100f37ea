"""Finds a Django transaction that is open on this thread, whoever opened it.

`atomic()` knows its own depth; this second look is for code that uses Django's own `atomic`. It
remembers the connections that were ever opened on a thread, because asking `connections` for each
alias at each call costs several times a call.
"""

import threading
from types import TracebackType
from typing import Any

import msgspec
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.transaction import Atomic, get_connection


class WithCommit(msgspec.Struct, eq=False):
    """A prepared statement that waits among a connection's commit hooks, to travel with COMMIT."""

    name: bytes
    values: list[bytes | None]
    known: set[bytes]
    """What is prepared on that connection."""

    def __call__(self) -> None:
        """As a hook it has nothing left to do."""


class PlatformAtomic(Atomic):
    """The transaction of an `atomic()` of ours; its depth is known from the scope."""

    module: str | None = None
    """Whose it is, where no operation's scope says so."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send what waits and COMMIT in one round trip; Django then finds itself committed."""
        connection: Any = get_connection(self.using)
        if kind is None and len(connection.atomic_blocks) == 1 and not connection.needs_rollback:
            hooks = connection.run_on_commit
            waiting = [hook for _, hook, _ in hooks if isinstance(hook, WithCommit)]
            if waiting:
                try:
                    with connection.wrap_database_errors:
                        _commit_with(connection.connection.pgconn, waiting)
                except BaseException as failure:
                    super().__exit__(type(failure), failure, failure.__traceback__)
                    raise
        super().__exit__(kind, error, trace)


class GroupAtomic(PlatformAtomic):
    """The shared transaction of a saga's fused steps, in which calls are allowed."""


def _commit_with(session: Any, waiting: list[WithCommit]) -> None:
    """Statements and COMMIT in libpq's pipeline; the first that fails keeps COMMIT from running."""
    from psycopg.errors import OperationalError
    from psycopg.pq import ConnStatus, ExecStatus

    failed = None
    session.enter_pipeline_mode()
    for statement in waiting:
        session.send_query_prepared(statement.name, statement.values)
    session.send_query_params(b"COMMIT", None)
    session.pipeline_sync()
    while True:
        result = session.get_result()
        if result is None:
            if session.status != ConnStatus.OK:
                raise OperationalError("the connection was lost during COMMIT")
            continue  # the end of one statement's results
        if result.status == ExecStatus.PIPELINE_SYNC:
            break
        if failed is None and result.status == ExecStatus.FATAL_ERROR:
            failed = error_of(result)
            forget_unknown(result, waiting[0].known)
    session.exit_pipeline_mode()
    if failed is not None:
        raise failed


def error_of(result: Any) -> Exception:
    """What psycopg's own cursors would raise; without a code of the server it is not there."""
    from psycopg.errors import OperationalError, error_from_result

    error = error_from_result(result)
    return error if error.sqlstate else OperationalError(str(error))


def forget_unknown(result: Any, known: set[bytes]) -> None:
    """After an error because somebody has taken prepared statements away: prepare them anew."""
    from psycopg.pq import DiagnosticField

    if result.error_field(DiagnosticField.SQLSTATE) == b"26000":
        known.clear()


class Seen(threading.local):
    """The connections of this thread, in one list that grows in place."""

    def __init__(self) -> None:
        self.connections: list[Any] = []


seen = Seen()


def _remember(connection: Any, **_: Any) -> None:
    """Not a copy that somebody made for themselves: no code of a module runs in its transaction."""
    known = any(one is connection for one in connections.all(initialized_only=True))
    if known and connection not in seen.connections:
        seen.connections.append(connection)


connection_created.connect(_remember, dispatch_uid="monolift.registry.transactions")


def remember_open_connections() -> None:
    """Learn of the connections that this thread opened before the library was loaded."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            _remember(connection)


def foreign_transaction() -> str | None:
    """The alias of a transaction opened here by other means than monolift's; None if there is none.

    A test case's own transaction does not count (it is what `durable=True` exempts as well).
    """
    for connection in seen.connections:
        blocks = connection.atomic_blocks
        if blocks:
            last = blocks[-1]
            if not last._from_testcase and not isinstance(last, PlatformAtomic):
                return str(connection.alias)
        elif (
            connection.connection is not None
            and not connection.autocommit
            and connection.settings_dict["AUTOCOMMIT"]
        ):
            return str(connection.alias)
    return None
