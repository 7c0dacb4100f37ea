"""A bulkhead: what is slow takes so many threads at most, and the rest of the process goes on."""

import threading
from typing import Self


class Full(Exception):
    """As many as there may be are under way."""


class Bulkhead:
    """A context that so many threads may be in at a time; Full for one more, at once."""

    def __init__(self, *, places: int) -> None:
        self.places = places
        self._free = threading.BoundedSemaphore(places)

    def __enter__(self) -> Self:
        if not self._free.acquire(blocking=False):
            raise Full
        return self

    def __exit__(self, *_: object) -> None:
        self._free.release()
