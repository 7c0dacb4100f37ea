"""Transactions of a module: `atomic()`, and the one commit of an operation."""

from collections.abc import Callable
from types import TracebackType
from typing import Any

from django.db import connections, transaction
from django.db.transaction import TransactionManagementError

from monolift.kernel import CallRefused, SecondTransaction, Unavailable
from monolift.kernel.clock import monotonic
from monolift.registry.modules import module_of
from monolift.registry.scope import Scope, calling_file, current
from monolift.registry.topology import topology
from monolift.registry.transactions import PlatformAtomic

_IN_ERROR = 3
"""PQTRANS_INERROR of libpq."""


class atomic:  # noqa: N801 - stands for Django's atomic
    """A transaction on the database of the module whose code runs.

    In a command, a handler or a task it commits when that operation returns, together with what the
    platform records about it; an error leaves nothing behind, also one raised after the block. An
    operation has one transaction: a second top-level block raises SecondTransaction. A nested block
    is a savepoint. Calls to other modules come before it (`CallInsideTransaction`).

    Elsewhere (a script, a test, the admin) it commits at the end of the block; code that belongs to
    no module names one: `atomic(module="orders")`.
    """

    def __init__(self, *, module: str | None = None) -> None:
        self._module = module
        self._stack: list[tuple[Scope, Any]] = []

    def __enter__(self) -> None:
        scope = current()
        if scope.depth:
            inner = None
            if scope.group is None:
                inner = transaction.atomic(using=scope.alias)
                inner.__enter__()
            scope.depth += 1
            self._stack.append((scope, inner))
            return
        if scope.closed:
            raise SecondTransaction(
                f"{scope.operation or scope.module} opens a second atomic(). One operation is one "
                "commit: put its writes into one block, and the calls to other modules before it."
            )
        if scope.managed and self._module not in (None, scope.module):
            raise CallRefused(
                f"{scope.operation} opens atomic(module={self._module!r}). Its own module is "
                f"{scope.module!r}; what belongs to another is written by a command of that one."
            )
        module = scope.module if scope.managed else self._module or _module_of_caller()
        alias = topology().alias(module)
        begin(scope, alias)
        if scope.outer is not None and not scope.managed:
            scope.outer.module = module
        scope.depth = 1
        self._stack.append((scope, None))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        scope, inner = self._stack.pop()
        scope.depth -= 1
        if error is not None and scope.group is not None:
            scope.group.doom(error)
        if scope.depth:
            if inner is not None:
                inner.__exit__(kind, error, trace)
        elif error is not None:
            abort(scope, error)
        elif scope.managed:
            scope.closed = True
        else:
            _leave(scope, None)


def begin(scope: Scope, alias: str) -> None:
    """Open the operation's transaction (or join its group) and write the platform's first row."""
    scope.alias = alias
    scope.plain = False
    if scope.group is not None:
        if scope.group.alias != alias:
            error = CallRefused(f"{scope.operation} writes to {alias!r}, outside the group.")
            scope.group.doom(error)
            raise error
        return
    outer = PlatformAtomic(using=alias, savepoint=True, durable=False)
    outer.__enter__()
    scope.outer = outer
    if scope.unit is not None:
        try:
            scope.unit.first(alias)
        except BaseException as error:
            abort(scope, error)
            raise


def commit(scope: Scope, answer: Any = None) -> None:
    """End a managed operation: store its answer and commit, or roll back past its deadline."""
    if scope.outer is None:
        return
    try:
        if scope.deadline is not None and monotonic() > scope.deadline:
            raise Unavailable(scope.operation, "its deadline passed before the commit")
        _still_whole(scope.alias or "")
        if scope.unit is not None:
            scope.unit.last(scope.alias or "", answer)
    except BaseException as error:
        abort(scope, error)
        raise
    _leave(scope, None)


def _still_whole(alias: str) -> None:
    """Raises where an error inside was caught: such a transaction ends as a rollback, in silence.

    Django marks the connection, or PostgreSQL knows.
    """
    connection: Any = connections[alias]
    session = connection.connection
    if connection.needs_rollback or (
        connection.vendor == "postgresql"
        and session is not None
        and session.pgconn.transaction_status == _IN_ERROR
    ):
        raise TransactionManagementError(
            "An error in this transaction was caught, and the database has given up all that was "
            "written. Catch it around an atomic() of its own, in which only that statement is."
        ) from connection.rollback_exc


def abort(scope: Scope, error: BaseException) -> None:
    """Roll back what a scope has open; nothing to roll back is harmless."""
    if scope.outer is not None:
        _leave(scope, error)
    scope.closed = False
    scope.plain = scope.group is None and scope.outgoing is None


def _leave(scope: Scope, error: BaseException | None) -> None:
    outer, scope.outer = scope.outer, None
    scope.plain = scope.group is None and scope.outgoing is None
    if outer is not None:
        trace = error.__traceback__ if error else None
        outer.__exit__(type(error) if error else None, error, trace)


def on_commit(function: Callable[[], Any], /) -> None:
    """Call `function` after the surrounding transaction has committed; at once without one.

    It is a hint, not a promise: a crash between the two loses it. What must happen is a `@task` or
    an event. An error in it is logged and does not stop other hooks.
    """
    scope = current()
    transaction.on_commit(
        function, using=scope.alias or topology().alias(scope.module), robust=True
    )


def _module_of_caller() -> str | None:
    return module_of(calling_file(depth=2))
