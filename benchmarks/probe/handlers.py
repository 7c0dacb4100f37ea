"""Says when a handler starts: `heard` is called with the clock in nanoseconds."""

import time
from collections.abc import Callable

from benchmarks.probe.events import NoteTaken
from monolift import subscribe

_heard: list[Callable[[int], None]] = []


def on_heard(listener: Callable[[int], None]) -> None:
    """Call `listener` with the moment (CLOCK_MONOTONIC, ns) at which each handler starts."""
    _heard[:] = [listener]


@subscribe(NoteTaken)
def note_the_moment(event: NoteTaken) -> None:
    """Tell when it started."""
    moment = time.monotonic_ns()
    for listener in _heard:
        listener(moment)
