"""Answers of queries, kept in the process for a while: by operation and arguments.

Shared between requests, so nobody may change them. Refusals and silence are not kept.
"""

import threading
from typing import Any, NamedTuple

from cachetools import LRUCache

from monolift.kernel import clock

MOST = 2_000
"""Answers kept; then those least recently used make room."""

type Question = tuple[str, str]


class Kept(NamedTuple):
    """An answer: good without asking until `ask_again`, in place of silence until `until`."""

    answer: Any
    ask_again: float
    until: float


_lock = threading.Lock()
_kept: LRUCache[Question, Kept] = LRUCache(MOST)


def question(operation: str, arguments: dict[str, Any]) -> Question:
    """What an answer is kept by."""
    return operation, repr(arguments)


def now() -> float:
    """Seconds on the clock that answers age by; a travelling test moves it."""
    return clock.monotonic() + clock.offset().total_seconds()


def look(asked: Question) -> Kept | None:
    """What is kept, however old."""
    with _lock:
        return _kept.get(asked)


def keep(asked: Question, kept: Kept) -> None:
    """Keep it in the place of what was."""
    with _lock:
        _kept[asked] = kept


def forget() -> None:
    """Keep nothing of what was answered so far."""
    with _lock:
        _kept.clear()
