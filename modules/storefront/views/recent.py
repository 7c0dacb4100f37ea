"""What pages of goods read of other modules: at most a few seconds old.

Many visitors look at the same goods, and a price tag that is five seconds late harms nobody: what
is charged is asked of its owner each time. So answers of queries are kept in the process, by
operation and arguments, for `STOREFRONT["FRESH_FOR"]` seconds; with 0 nothing is kept. When its
module is silent, an answer stands in for `STOREFRONT["STANDS_FOR"]` seconds. Refusals and silence
are not kept. Answers are shared between requests, so nobody may change them.
"""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from cachetools import LRUCache
from django.conf import settings

from modules.storefront import requires
from modules.storefront.views.page import log
from monolift import Unavailable
from monolift.kernel import CallFailed, clock

_MOST = 2_000
"""Answers kept; then those least recently used make room."""


class _Kept(NamedTuple):
    answer: Any
    ask_again: float
    until: float


_lock = threading.Lock()
_kept: LRUCache[tuple[str, str, str], _Kept] = LRUCache(_MOST)


def _now() -> float:
    return clock.monotonic() + clock.offset().total_seconds()


def forget() -> None:
    """Keep nothing of what was answered so far."""
    with _lock:
        _kept.clear()


def _look(key: tuple[str, str, str]) -> _Kept | None:
    with _lock:
        return _kept.get(key)


def _keep(key: tuple[str, str, str], kept: _Kept) -> None:
    with _lock:
        _kept[key] = kept


class _Recent:
    """Stands for a module's queries."""

    def __init__(self, asked: Any, module: str) -> None:
        self._asked = asked
        self._module = module

    def __getattr__(self, name: str) -> Callable[..., Any]:
        asked, module = self._asked, self._module

        def recent(**arguments: Any) -> Any:
            fresh = settings.STOREFRONT["FRESH_FOR"]
            if not fresh:
                return getattr(asked, name)(**arguments)
            key = (module, name, repr(arguments))
            found, now = _look(key), _now()
            if found is not None and now < found.ask_again:
                return found.answer
            try:
                answer = getattr(asked, name)(**arguments)
            except (Unavailable, CallFailed) as error:
                if found is None or now >= found.until:
                    raise
                log.warning("an older answer stands in", asked=f"{module}.{name}", exc_info=error)
                _keep(key, found._replace(ask_again=now + fresh))
                return found.answer
            _keep(key, _Kept(answer, now + fresh, now + settings.STOREFRONT["STANDS_FOR"]))
            return answer

        setattr(self, name, recent)
        return recent


def _recent[T](asked: T, module: str) -> T:
    return _Recent(asked, module)  # type: ignore[return-value]  # it has the same operations


catalog = _recent(requires.catalog, "catalog")
inventory = _recent(requires.inventory, "inventory")
recommendations = _recent(requires.recommendations, "recommendations")
search = _recent(requires.search, "search")
