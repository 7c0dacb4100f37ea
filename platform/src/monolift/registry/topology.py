"""The topology in force in this process: what the file declares, and what changed since."""

import threading
from collections.abc import Callable

from monolift.kernel.clock import monotonic
from monolift.registry.modules import modules
from monolift.registry.places import DEFAULT_ALIAS, Topology, here
from monolift.registry.settings import setting
from monolift.registry.topology_file import declared

type Truth = Callable[[Topology], Topology]
"""Gives what is in force in the place of what a file declares."""

_lock = threading.Lock()
_current: Topology | None = None
_listeners: list[Callable[[], None]] = []
_truth: Truth | None = None
_renew: Callable[[], None] | None = None
_heeded = True
_changed = float("-inf")
_LATELY = 10.0
"""Seconds; more than the longest call takes."""


def topology() -> Topology:
    """The topology in force in this process."""
    global _current
    if _current is None:
        with _lock:
            if _current is None:
                found = declared()
                truth = decided_by()
                _current = found if truth is None else truth(found)
    return _current


def modules_on(alias: str) -> list[str]:
    """The modules that this deployable runs and whose tables are in a database."""
    known = topology()
    return [label for label in modules() if known.alias(label) == alias and known.runs(label)]


def databases() -> list[str]:
    """The databases that this deployable uses: the default one, and those of the modules here."""
    known = topology()
    hosted = (known.alias(label) for label in modules() if known.hosts(label))
    return sorted({DEFAULT_ALIAS, *hosted})


def urls() -> dict[str, str]:
    """Where each other deployable is reached: the setting `URLS`, else what the file says."""
    declared = {
        name: deployable.url
        for name, deployable in topology().deployables.items()
        if deployable.url and name != here()
    }
    return {**declared, **setting("URLS")}


def install(new: Topology) -> bool:
    """Put a topology in force here. Older epochs are ignored; True when something changed."""
    global _current, _changed
    with _lock:
        if _current is not None and (new.epoch < _current.epoch or new == _current):
            return False
        _current = new
        _changed = monotonic()
    _tell()
    return True


def renewed() -> bool:
    """Look for news now, and say whether there are any, or were within the last seconds.

    For who met a refusal that a move would explain.
    """
    if _renew is not None and _heeded:
        _renew()
    return monotonic() - _changed < _LATELY


def reset() -> None:
    """Forget what is in force; the next use reads the file again. For tests."""
    global _current
    with _lock:
        _current = None
    _tell()


def on_change(listener: Callable[[], None]) -> None:
    """Call `listener` after each change, to rebuild what was derived from the topology."""
    _listeners.append(listener)


def no_more(listener: Callable[[], None]) -> None:
    """Do not call `listener` any more."""
    _listeners.remove(listener)


def decide_by(truth: Truth, *, renew: Callable[[], None]) -> None:
    """Say where the truth row is read, at the start and again. Given by `monolift.truth`."""
    global _truth, _renew
    _truth, _renew = truth, renew


def decided_by() -> Truth | None:
    """Where the truth row is read; None where the file alone decides."""
    return _truth if _heeded else None


def heed(truth: bool, /) -> None:
    """Whether the truth row counts in this process. Tests begin without."""
    global _heeded
    _heeded = truth


def _tell() -> None:
    for listener in tuple(_listeners):
        listener()
