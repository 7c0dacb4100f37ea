"""What an error means for a saga: repeat, give up, or not known."""

from typing import Any

from django.db import InterfaceError, OperationalError

from monolift.kernel import Step


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
    """A connection lost at the commit: it may have happened, so nothing may be saved over it.

    The saga rests until its lease runs out; whoever takes it then reads what was committed.
    """
    if isinstance(error, OperationalError | InterfaceError) and not serialisation_failure(error):
        raise error
