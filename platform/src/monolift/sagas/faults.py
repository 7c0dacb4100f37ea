"""What an error means for a saga: repeat, give up, or not known."""

from typing import Any

from django.db import InterfaceError, OperationalError

from monolift.kernel import Step
from monolift.registry.troubles import in_the_way


def is_external(step: Step[Any]) -> bool:
    """Does the step have an effect that leaves the process?"""
    return any(operation.external for operation in step.commands)


def raise_if_uncertain(error: BaseException) -> None:
    """A connection lost at the commit: it may have happened, so nothing may be saved over it.

    Whoever goes on with the saga then reads what was committed.
    """
    if isinstance(error, OperationalError | InterfaceError) and not in_the_way(error):
        raise error
