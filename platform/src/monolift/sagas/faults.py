"""What an error means for a saga: repeat, give up, or not known."""

from typing import Any

from django.db import InterfaceError, OperationalError

from monolift.kernel import Step, Unavailable
from monolift.registry.fence import refused_by_fence
from monolift.registry.topology import topology
from monolift.registry.troubles import in_the_way, out_of_order


def is_external(step: Step[Any]) -> bool:
    """Does the step have an effect that leaves the process?"""
    return any(operation.external for operation in step.commands)


def raise_if_uncertain(error: BaseException) -> None:
    """Raise what is no failure of a step, and about which nothing may be saved here.

    A connection lost at the commit: it may have happened. Whoever goes on with the saga then reads
    what was committed.
    """
    raise_if_moved(error)
    if isinstance(error, OperationalError | InterfaceError) and not in_the_way(error):
        raise error


def raise_if_moved(error: BaseException) -> None:
    """Raise what a fence said to the saga itself: it goes on where its row is now.

    What it said to a module that a step called has become Unavailable, and is a failure. A conflict
    of two transactions is none of its sayings: what was in the way runs again as a whole.
    """
    if refused_by_fence(error) and not in_the_way(error):
        raise error


def raise_if_no_attempt(error: BaseException, *, alias: str) -> None:
    """A call failed because the saga's own database does not work: that is no attempt of its step.

    The intent stays, so whoever goes on calls again under the same key.
    """
    cause = error.__cause__
    if not isinstance(error, Unavailable) or cause is None or not out_of_order(cause):
        return
    if topology().alias(error.operation.partition(".")[0]) == alias:
        raise cause
