"""Deadlines: the total time an operation may take; it only shrinks on the way down."""

from collections.abc import Iterator
from contextlib import contextmanager

from monolift.kernel import Unavailable
from monolift.kernel.clock import monotonic
from monolift.registry.scope import current


@contextmanager
def deadline(*, seconds: float) -> Iterator[None]:
    """Give the calls made inside the block at most `seconds` in all. Not across an `await`.

    Nothing else changes: keys, the rules of a saga's step, and the one transaction of the operation
    are what they are outside.
    """
    scope = current()
    before = scope.deadline
    end = monotonic() + seconds
    scope.deadline = end if before is None else min(before, end)
    try:
        yield
    finally:
        scope.deadline = before


def remaining() -> float | None:
    """Seconds left; None without a deadline, never below 0."""
    end = current().deadline
    return None if end is None else max(0.0, end - monotonic())


def check(*, doing: str) -> None:
    """Raise Unavailable when the deadline of the running operation has passed."""
    end = current().deadline
    if end is not None and monotonic() > end:
        raise Unavailable(doing, "its deadline has passed")
