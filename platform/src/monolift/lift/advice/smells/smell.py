"""A sign of a distributed monolith, and whether it is there."""

from enum import StrEnum

import msgspec


class State(StrEnum):
    """What is not known raises no alarm, and is not OK."""

    ALARM = "ALARM"
    OK = "OK"
    UNKNOWN = "UNKNOWN"


class Smell(msgspec.Struct, frozen=True, kw_only=True):
    """One sign."""

    name: str
    state: State
    value: str
    """What was measured; for UNKNOWN, what is missing."""
    alarm: str
    """From when on it is an alarm."""
    source: str
    found: tuple[str, ...] = ()
    """Where it is."""


ONE = "there is one deployable"


def state(alarm: bool) -> State:
    """Of something that is known."""
    return State.ALARM if alarm else State.OK
