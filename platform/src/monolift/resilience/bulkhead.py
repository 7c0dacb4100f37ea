"""A bulkhead: what is slow takes so many threads at most, and the rest of the process goes on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Full(Exception):
    """As many as there may be are under way."""


class Bulkhead:
    """So many threads may be in it at a time, and so many more may wait for a place."""

    def __init__(self, *, places: int, queue: int = 0) -> None:
        self._free = threading.BoundedSemaphore(places)
        self._queue = threading.BoundedSemaphore(queue)

    @contextmanager
    def place(self, *, wait: float = 0.0) -> Iterator[None]:
        """A place while the block runs, waited for so many seconds at most.

        Full at once where as many wait already as may, or none may.
        """
        if not self._free.acquire(blocking=False):
            self._wait(wait)
        try:
            yield
        finally:
            self._free.release()

    def _wait(self, seconds: float) -> None:
        if seconds <= 0 or not self._queue.acquire(blocking=False):
            raise Full
        try:
            if not self._free.acquire(timeout=seconds):
                raise Full
        finally:
            self._queue.release()
