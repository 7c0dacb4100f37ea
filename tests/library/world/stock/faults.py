"""Faults that tests plan: what happens when the code reaches a named place."""

import mmap
from collections.abc import Callable

planned: dict[str, list[Callable[[], None]]] = {}


def reach(place: str) -> None:
    """Do what the test planned for this place, if anything is left."""
    waiting = planned.get(place)
    if waiting:
        waiting.pop(0)()


class SharedCount:
    """A counter that forked children share with their parent, so that a killed child counts too."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    def next(self) -> int:
        """Count one more; the count before."""
        count = self._memory[0]
        self._memory[0] = min(count + 1, 255)
        return count

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
