"""A process that dies between two statements, simulated: what it had not committed is gone."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connections


class Killed(BaseException):
    """The simulated process is dead; nothing of it runs any more."""


class _Countdown:
    def __init__(self, statements: int) -> None:
        self.left = statements

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise Killed  # and so does each statement that the unwinding code tries
        return execute(sql, params, many, context)


@contextmanager
def dying(*, after: int | None) -> Iterator[None]:
    """Let the block die before the statement that comes after so many; None: it lives.

    Raises Killed when it came so far. Its connections are closed, as the system closes them.
    """
    if after is None:
        yield
        return
    countdown = _Countdown(after)
    try:
        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(countdown))
            yield
    except Killed:
        connections.close_all()
        raise
