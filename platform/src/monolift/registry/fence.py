"""What a database says when a module's tables have moved away, or are about to.

A fence is part of the module's database: it refuses whoever still has the old topology, whatever
they were told. So news of a move is speed, and the refusal is safety. What is refused has left
nothing behind, and may be done again where the module is now (`monolift.transport.following`).
"""

from django.db import DatabaseError

from monolift.registry.topology import renewed

MARK = "monolift: the module has moved"
"""In the message of what a fence raises, on both databases."""

SQLSTATE = "ML001"
"""Of a fence on PostgreSQL."""
_GONE = frozenset({"42501", "42P01"})
"""Rights that are taken away, a table that is not there: by a move, or by somebody's mistake."""
_BROKEN_OFF = frozenset({"40001", "40P01", "55P03"})
"""A deadlock, a lock that was not given in time: a move takes locks for its statements."""


def behind_a_fence(error: BaseException) -> bool:
    """Whether an error is, or was caused by, such a refusal (see `refused_by_fence`)."""
    cause: BaseException | None = error
    while cause is not None:
        if refused_by_fence(cause):
            return True
        cause = cause.__cause__
    return False


def refused_by_fence(error: BaseException) -> bool:
    """Whether a database refused something because a module moves or has moved.

    A table that is missing, rights, or a lock count only if the topology changed within the last
    seconds; to know, it is looked at once more.
    """
    if not isinstance(error, DatabaseError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    text = str(error)
    if state == SQLSTATE or MARK in text:
        renewed()
        return True
    return (state in _GONE | _BROKEN_OFF or "no such table" in text) and renewed()
