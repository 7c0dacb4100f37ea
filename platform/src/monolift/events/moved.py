"""Statements over rows of several modules, some of which may have moved to another database."""

from collections.abc import Callable, Sequence
from itertools import groupby

from django.db import DatabaseError

from monolift.events.deliveries import Claimed
from monolift.registry.fence import refused_by_fence
from monolift.registry.topology import topology

type Statement = Callable[[str, Sequence[Claimed]], None]
"""Does something to claimed rows on a database."""


def wherever_they_are(alias: str, batch: Sequence[Claimed], act: Statement) -> None:
    """Do it to a batch at once; when a fence refuses that, `one_by_one`."""
    try:
        act(alias, batch)
    except DatabaseError as error:
        if not refused_by_fence(error):
            raise
        one_by_one(batch, act)


def one_by_one(batch: Sequence[Claimed], act: Statement) -> None:
    """Do it to each module's rows where they are: what one is refused costs the others nothing.

    Rows that have left this deployable are left to who has them. Raises the refusal when a module
    is sealed and not elsewhere yet, after all the others had their turn.
    """
    known = topology()
    refusal: DatabaseError | None = None
    for module, rows in groupby(sorted(batch, key=_module), key=_module):
        if not known.runs(module):
            continue
        try:
            act(known.alias(module), list(rows))
        except DatabaseError as error:
            if not refused_by_fence(error):
                raise
            refusal = error
    if refusal is not None:
        raise refusal


def _module(claimed: Claimed) -> str:
    return claimed.module
