"""From one COPY into another, in pieces of many rows.

psycopg gives a row at a time and waits for each by itself. That makes the tool the busiest of the
three processes that copy, on processors that the shop needs.
"""

from collections.abc import Iterator
from select import POLLIN, POLLOUT, poll
from typing import Any

from psycopg.pq import ExecStatus

from monolift.lift.movers.postgresql.pace import Pace
from monolift.lift.sealing.postgresql.sides import Session
from monolift.registry.transactions import error_of

_PIECE = 64 * 1024
"""Bytes that are sent on together, if as many have come."""


def pour(here: Session, out: str, there: Session, into: str, *, pace: Pace) -> Iterator[int]:
    """Run a COPY TO STDOUT and a COPY FROM STDIN; yields how many rows it has brought, on the way.

    Raises psycopg's errors, of either side.
    """
    with here.cursor().copy(out), there.cursor().copy(into) as target:
        for rows, piece in _pieces(here.pgconn):
            target.write(piece)
            _flush(there.pgconn)
            pace.keep(len(piece))
            yield rows


def _pieces(source: Any) -> Iterator[tuple[int, bytes]]:
    came: list[memoryview] = []
    size = 0
    while True:
        length, row = source.get_copy_data(1)  # at once, or nothing
        if length > 0:
            came.append(row)
            size += length
        if came and (length <= 0 or size >= _PIECE):
            yield len(came), b"".join(came)
            came, size = [], 0
        if length == 0:
            _wait(source, POLLIN)
            source.consume_input()
        elif length < 0:
            break
    failed = None
    while (result := source.get_result()) is not None:  # to the last, or the session stays busy
        if result.status == ExecStatus.FATAL_ERROR:
            failed = failed or result
    if failed is not None:
        raise error_of(failed)


def _flush(target: Any) -> None:
    """Send what libpq keeps: else the pace is one of rows that nobody has taken yet."""
    while target.flush():
        if _wait(target, POLLIN | POLLOUT) & ~POLLOUT:
            target.consume_input()


def _wait(session: Any, events: int) -> int:
    waiting = poll()
    waiting.register(session.socket, events)
    [(_, found)] = waiting.poll()
    return found
