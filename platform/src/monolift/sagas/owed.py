"""Sagas that could not be given back when their database did not work, or was in the way.

Whoever works on that database next gives them back, so that no lease has to end for it and nothing
looks as if it had killed its worker.
"""

import threading

from django.db import DatabaseError, InterfaceError

from monolift.observe.logs import logger
from monolift.registry.sql import after, execute
from monolift.registry.troubles import out_of_order, says_nothing
from monolift.resilience.backoff import until_it_works
from monolift.sagas.record import Record

log = logger("monolift.sagas")

MOST = 1000
"""How many are remembered; for the longest owed of more than that, the lease does the rest."""
_AT_ONCE = 20
"""How many one run gives back before it begins: nobody pays for a whole outage."""

_owed: list[Record] = []
_taking = threading.Lock()


def owe(record: Record) -> None:
    """Remember a saga, to be given back when the database lets somebody."""
    if not record.sent:
        return  # nobody else can know of it
    with _taking:
        _owed.append(record)
        del _owed[:-MOST]


def let_go_owed(alias: str) -> None:
    """Give some back as they are stored; each by one thread, once. No worker died: no attempt.

    Raises only when the database is out of order.
    """
    for _ in range(_AT_ONCE):
        record = _taken(alias)
        if record is None:
            return
        try:
            _let_go(record)
        except (DatabaseError, InterfaceError) as error:
            if out_of_order(error):
                owe(record)
                raise
            if says_nothing(error):
                owe(record)
                return
            log.info("saga is left to its lease", saga_id=record.id, reason=str(error))


def _taken(alias: str) -> Record | None:
    with _taking:
        for place, record in enumerate(_owed):
            if record.alias == alias:
                return _owed.pop(place)
    return None


def _let_go(record: Record) -> None:
    """A commit whose end is not known has its row locked, or is over: what is stored then is true.

    Who took it over when its lease had ended has counted a crash: it is taken off again.
    """
    alias = record.alias
    which = (record.module, record.id, record.token)
    if not execute(
        alias,
        "UPDATE monolift_saga SET lease_until = NULL, due_at = CASE WHEN status = "
        f"'waiting' THEN due_at ELSE {after(alias, until_it_works())} END "
        "WHERE module = %s AND id = %s AND token = %s",
        which,
    ):
        execute(
            alias,
            "UPDATE monolift_saga SET attempts = attempts - 1 "
            "WHERE module = %s AND id = %s AND token <> %s AND attempts > 0",
            which,
        )
