"""Claims that could not be given back when they should have been, because of their database.

Whoever works on that database next gives them back, so that what kept a worker from recording
anything costs nothing that it held: no lease to wait for, and no attempt.
"""

import threading
from collections.abc import Sequence

from django.db import DatabaseError, InterfaceError, transaction

from monolift.events import deliveries
from monolift.events.deliveries import Claimed
from monolift.events.moved import wherever_they_are
from monolift.observe.logs import logger
from monolift.registry.fence import refused_by_fence
from monolift.registry.troubles import out_of_order, says_nothing

log = logger("monolift.events")

_owed: list[tuple[str, Sequence[Claimed]]] = []
_taking = threading.Lock()


def owe(alias: str, batch: Sequence[Claimed]) -> None:
    """Remember claims, to be given back when the database lets somebody."""
    if batch:
        _owed.append((alias, batch))


def give_back_owed(alias: str) -> None:
    """Give back what is owed on a database; each by one thread, once.

    What is refused once more stays owed. Raises only when the database is out of order.
    """
    mine = _taken(alias)
    while mine:
        batch = mine.pop()
        try:
            wherever_they_are(alias, batch, _give_back)
        except (DatabaseError, InterfaceError) as error:
            if refused_by_fence(error):  # sealed, and nobody knows yet for whom
                owe(alias, batch)
            elif says_nothing(error):
                for one in (*mine, batch):
                    owe(alias, one)
                if out_of_order(error):
                    raise
                return
            else:
                log.info("what was not begun is left to its lease", reason=str(error))


def _taken(alias: str) -> list[Sequence[Claimed]]:
    """What is owed on a database, and from now on by nobody else."""
    if not _owed:
        return []
    with _taking:
        mine = [one for one in _owed if one[0] == alias]
        for one in mine:
            _owed.remove(one)
    return [batch for _, batch in mine]


def _give_back(alias: str, batch: Sequence[Claimed]) -> None:
    with transaction.atomic(using=alias):  # both or neither, or the second would be done twice
        deliveries.give_back(alias, batch)
        deliveries.take_off(alias, batch)
