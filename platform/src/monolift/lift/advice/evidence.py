"""What drills and probes have shown: the port to whoever records them.

A lift leaves evidence where it keeps its state, and gives it here with `provide()`. Until somebody
does, nothing is known, and what depends on it is UNKNOWN.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What was tried."""

    PROVISION = "provision"
    """A new process with a new database, from nothing, by a script. `seconds` is how long."""
    PROBE = "probe"
    """One of the three probes of monitoring; `name` says which."""
    ROLLBACK = "rollback"
    """The way back from a cut-over, under load. `seconds` is the stall."""
    OUT = "out"
    """The module began to answer in another deployable."""
    HOME = "home"
    """The module began to answer at home again."""


PROBES = ("trace", "red", "alert")
"""The trace id crosses the boundary; rate, errors and duration are there for each interface; an
alert reaches the module's owner."""


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """One try."""

    kind: Kind
    at: datetime
    """When it ended; with a time zone."""
    passed: bool
    name: str = ""
    seconds: float = 0.0
    failed: int = 0
    """Requests that failed meanwhile."""


type Source = Callable[[str], Iterable[Drill]]
"""The drills of a module, by its label."""

_sources: list[Source] = []


def provide(source: Source, /) -> None:
    """Let assessments ask this source too."""
    if source not in _sources:
        _sources.append(source)


def withdraw(source: Source, /) -> None:
    """Do not ask it any more. For tests."""
    _sources.remove(source)


def drills(module: str, *kinds: Kind) -> list[Drill]:
    """Those of these kinds, newest first."""
    found = [one for source in _sources for one in source(module) if one.kind in kinds]
    return sorted(found, key=lambda one: one.at, reverse=True)
