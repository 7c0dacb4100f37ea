"""What pages of goods read of other modules: at most a few seconds old.

Many visitors look at the same goods, and a price tag that is five seconds late harms nobody: what
is charged is asked of its owner each time. So answers of queries are kept in the process, by
operation and arguments, for `STOREFRONT["FRESH_FOR"]` seconds; with 0 nothing is kept. Refusals and
silence are not kept. Answers are shared between requests, so nobody may change them.
"""

import threading
from collections.abc import Callable
from typing import Any

from cachetools import TTLCache
from django.conf import settings

from modules.storefront import requires
from monolift.kernel import clock

_MOST = 2_000
"""Answers kept; then those least recently used make room."""

_lock = threading.Lock()
_kept: TTLCache[tuple[str, str, str], Any] | None = None


def _answers() -> TTLCache[tuple[str, str, str], Any] | None:
    global _kept
    seconds = settings.STOREFRONT["FRESH_FOR"]
    if not seconds:
        return None
    if _kept is None or _kept.ttl != seconds:
        _kept = TTLCache(_MOST, seconds, timer=_elapsed)
    return _kept


def _elapsed() -> float:
    return clock.monotonic() + clock.offset().total_seconds()


def forget() -> None:
    """Keep nothing of what was answered so far."""
    global _kept
    _kept = None


class _Recent:
    """Stands for a module's queries."""

    def __init__(self, asked: Any, module: str) -> None:
        self._asked = asked
        self._module = module

    def __getattr__(self, name: str) -> Callable[..., Any]:
        asked, module = self._asked, self._module

        def recent(**arguments: Any) -> Any:
            answers = _answers()
            if answers is None:
                return getattr(asked, name)(**arguments)
            key = (module, name, repr(arguments))
            with _lock:
                answer = answers.get(key, answers)
            if answer is answers:
                answer = getattr(asked, name)(**arguments)
                with _lock:
                    answers[key] = answer
            return answer

        setattr(self, name, recent)
        return recent


def _recent[T](asked: T, module: str) -> T:
    return _Recent(asked, module)  # type: ignore[return-value]  # it has the same operations


catalog = _recent(requires.catalog, "catalog")
inventory = _recent(requires.inventory, "inventory")
recommendations = _recent(requires.recommendations, "recommendations")
search = _recent(requires.search, "search")
