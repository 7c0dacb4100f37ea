"""The topology in force in this process: what the file declares, and what changed since."""

import threading
from collections.abc import Callable

from monolift.registry.modules import modules
from monolift.registry.places import Topology, here
from monolift.registry.settings import setting
from monolift.registry.topology_file import declared

type Truth = Callable[[Topology], Topology]
"""Gives what is in force in the place of what a file declares."""

_lock = threading.Lock()
_current: Topology | None = None
_listeners: list[Callable[[], None]] = []
_truth: Truth | None = None
_heeded = True


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
    """The modules of this deployable whose tables are in a database."""
    known = topology()
    return [label for label in modules() if known.alias(label) == alias and known.hosts(label)]


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
    global _current
    with _lock:
        if _current is not None and (new.epoch < _current.epoch or new == _current):
            return False
        _current = new
    _tell()
    return True


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


def decide_by(truth: Truth) -> None:
    """Say where the truth row is read. Given by `monolift.truth`."""
    global _truth
    _truth = truth


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
