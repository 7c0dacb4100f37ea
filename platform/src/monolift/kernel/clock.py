"""The one clock. Services and the library read time here, so that tests can move it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

monotonic = time.monotonic
"""Seconds for measuring durations and deadlines inside one process; never moved by tests."""

_offset = timedelta()


def now() -> datetime:
    """The current time, timezone-aware, UTC."""
    return datetime.now(UTC) + _offset


def offset() -> timedelta:
    """How far tests have moved the clock; zero in production."""
    return _offset


def travel(by: timedelta) -> None:
    """Move the clock for the whole process. For tests; see `travelling` for the scoped form."""
    global _offset
    _offset += by


@contextmanager
def travelling() -> Iterator[None]:
    """Put the clock back where it was at the end of the block."""
    global _offset
    before = _offset
    try:
        yield
    finally:
        _offset = before
