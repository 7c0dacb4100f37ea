"""What an error means for a saga: repeat, give up, or not known."""

from typing import Any

from django.db import InterfaceError, OperationalError

from monolift.kernel import Step
from monolift.registry.fence import refused_by_fence


def is_external(step: Step[Any]) -> bool:
    """Does the step have an effect that leaves the process?"""
    return any(operation.external for operation in step.commands)


def serialisation_failure(error: BaseException) -> bool:
    """A deadlock or serialisation failure (SQLSTATE class 40), or SQLite's busy database."""
    cause: BaseException | None = error
    while cause is not None:
        state = getattr(cause, "sqlstate", None) or ""
        if state.startswith("40") or (
            isinstance(cause, OperationalError) and "locked" in str(cause)
        ):
            return True
        cause = cause.__cause__
    return False


def raise_if_uncertain(error: BaseException) -> None:
    """Raise what is no failure of a step, and about which nothing may be saved here.

    A connection lost at the commit: it may have happened. The saga rests until its lease runs out;
    whoever takes it then reads what was committed.
    """
    raise_if_moved(error)
    if isinstance(error, OperationalError | InterfaceError) and not serialisation_failure(error):
        raise error


def raise_if_moved(error: BaseException) -> None:
    """Raise what a fence said to the saga itself: it goes on where its row is now.

    What it said to a module that a step called has become Unavailable, and is a failure.
    """
    if refused_by_fence(error):
        raise error
