"""Deadlines: the total time an operation may take; it only shrinks on the way down."""

from collections.abc import Iterator
from contextlib import contextmanager

from monolift.kernel import Unavailable
from monolift.kernel.clock import monotonic
from monolift.registry.scope import Scope, current, entered


@contextmanager
def deadline(*, seconds: float) -> Iterator[None]:
    """Give the calls made inside the block at most `seconds` in all."""
    outer = current()
    end = monotonic() + seconds
    scope = Scope(outer.module, outer, end if outer.deadline is None else min(outer.deadline, end))
    scope.kind = "request"
    scope.operation = outer.operation
    scope.weighed_with(outer)
    with entered(scope):
        yield


def remaining() -> float | None:
    """Seconds left; None without a deadline, never below 0."""
    end = current().deadline
    return None if end is None else max(0.0, end - monotonic())


def check(*, doing: str) -> None:
    """Raise Unavailable when the deadline of the running operation has passed."""
    end = current().deadline
    if end is not None and monotonic() > end:
        raise Unavailable(doing, "its deadline has passed")
