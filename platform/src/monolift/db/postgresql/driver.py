"""Connections and cursors of psycopg that begin no transaction without entering the fence.

psycopg asks one method how a transaction begins, whoever begins it and by whatever kind of cursor.
It is overridden here. What runs outside of a transaction is read-only for the module's role, by
the database; so a read costs what it always does, and the rest is given a transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg import errors, generators, pq
from psycopg.errors import DatabaseError, error_from_result

from monolift.registry.fence import MARK
from monolift.registry.topology import topology

_BEGIN = b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_ENTER = "SELECT monolift_fence_enter({module}, {epoch})"
_HELD_UP = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected)
"""What ends the wait for a cut-over: nothing was begun."""


class _Begin(bytes):
    """How a fenced transaction begins."""

    enter: bytes


class FencedConnection(psycopg.Connection[Any]):
    """A connection whose transactions enter the fence of a module first."""

    fenced_module: str = ""

    def _get_tx_start_command(self) -> bytes:
        begin = _Begin(_BEGIN)
        module = pq.Escaping(self.pgconn).escape_literal(self.fenced_module.encode())
        begin.enter = _ENTER.format(module=bytes(module).decode(), epoch=topology().epoch).encode()
        return begin

    def _exec_command(self, command: Any, result_format: Any = pq.Format.TEXT) -> Any:
        if not isinstance(command, _Begin):
            return (yield from super()._exec_command(command, result_format))
        if self._pipeline:
            yield from super()._exec_command(bytes(command))
            return (yield from super()._exec_command(command.enter))
        self._check_connection_ok()
        self.pgconn.send_query(bytes(command) + b"; " + command.enter)
        results = yield from generators.execute(self.pgconn)
        for result in results:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                error = error_from_result(result, encoding=self.pgconn._encoding)
                if self._autocommit:
                    yield from super()._exec_command(b"ROLLBACK")
                if isinstance(error, _HELD_UP):
                    raise DatabaseError(f"{MARK}, or is about to: {error}") from error
                raise error
        return results[0]

    @contextmanager
    def in_transaction(self) -> Iterator[None]:
        """A transaction for what would run outside of one."""
        self._send(self._get_tx_start_command())
        try:
            yield
        except BaseException:
            if self.pgconn.transaction_status != pq.TransactionStatus.IDLE:
                self._send(b"ROLLBACK")
            raise
        self._send(b"COMMIT")

    def is_closed(self) -> bool:
        """Whether the fence lets nobody in, reading included: on the way back a module is nowhere
        for a moment, and no news of it is there yet.
        """
        found = psycopg.Cursor(self).execute(
            "SELECT 1 FROM monolift_fence WHERE module = %s AND NOT open",
            (self.fenced_module,),
            prepare=False,  # else psycopg takes all prepared ones away, also those of others
        )
        return found.fetchone() is not None

    @property
    def outside(self) -> bool:
        """Whether a statement now would be one of its own."""
        return self.autocommit and self.pgconn.transaction_status == pq.TransactionStatus.IDLE

    def _send(self, command: bytes) -> None:
        if self.pgconn.status != pq.ConnStatus.OK:
            return  # lost: the error that says so is on its way
        with self.lock:
            self.wait(self._exec_command(command))


def _only_reads(query: Any) -> bool:
    """A guess. The database corrects it: outside of a transaction the role may read only."""
    if isinstance(query, bytes):
        query = query.decode(errors="replace")
    if not isinstance(query, str):
        return False
    return query.lstrip()[:6].upper() == "SELECT" and ";" not in query


class _FencedCursor:
    """Gives what is not a plain read a transaction, when there is none."""

    connection: Any

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        execute = super().execute  # type: ignore[misc]  # of the cursor it is mixed into
        if not self.connection.outside:
            return execute(query, params, **options)
        if _only_reads(query):
            try:
                return self._read(execute, query, params, **options)
            except errors.ReadOnlySqlTransaction:
                pass  # it writes: nothing has happened
        with self.connection.in_transaction():
            return execute(query, params, **options)

    def _read(self, execute: Any, *statement: Any, **options: Any) -> Any:
        refused = False
        while True:
            try:
                return execute(*statement, **options)
            except errors.InsufficientPrivilege as error:
                if self.connection.is_closed():
                    raise DatabaseError(f"{MARK}, or is about to: {error}") from error
                if refused:
                    raise
                refused = True  # or it has been opened again since: with it came the rights

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        executemany = super().executemany  # type: ignore[misc]  # as above
        if not self.connection.outside:
            executemany(query, params_seq, **options)
            return
        with self.connection.in_transaction():
            executemany(query, params_seq, **options)

    @contextmanager
    def copy(self, statement: Any, params: Any = None, **options: Any) -> Iterator[Any]:
        copy = super().copy  # type: ignore[misc]  # as above
        if not self.connection.outside:
            with copy(statement, params, **options) as copying:
                yield copying
            return
        with self.connection.in_transaction(), copy(statement, params, **options) as copying:
            yield copying


class Cursor(_FencedCursor, base.Cursor):
    """Django's cursor."""


class ServerBindingCursor(_FencedCursor, base.ServerBindingCursor):
    """Django's cursor for `OPTIONS["server_side_binding"]`."""


class Driver:
    """psycopg as Django knows it, with these connections."""

    connect = staticmethod(FencedConnection.connect)

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)
