"""How long sagas are kept after their end, and taking away what is older.

An ended saga is what makes starting it again under its key the same saga, and its history is what
an operator reads. It goes after `MONOLIFT["KEEP_SAGAS"]` days.
"""

from datetime import timedelta
from typing import NamedTuple

from monolift.events.retention import delete_in_chunks
from monolift.kernel import clock
from monolift.kernel.ids import uuid7_floor
from monolift.registry.settings import setting
from monolift.registry.sql import moment
from monolift.registry.topology import modules_on

_GONE_ON = "('done', 'undone', 'abandoned')"


class Purged(NamedTuple):
    """How many rows are gone."""

    sagas: int
    arrivals: int


def purge(alias: str, *, older_than: timedelta) -> Purged:
    """Take away sagas that ended before, and events that came before and that none took.

    One that runs, waits or is stuck stays, however old it is; so does each event for a saga of
    which there is such an old one.
    """
    limit = clock.now() - older_than
    before = moment(alias, limit)
    sagas = sum(
        delete_in_chunks(
            alias,
            "monolift_saga",
            f"module = %s AND id < %s AND status IN {_GONE_ON} AND updated_at < %s",
            (module, uuid7_floor(limit), before),
        )
        for module in modules_on(alias)
    )
    arrivals = sum(
        delete_in_chunks(
            alias,
            "monolift_arrival",
            "module = %s AND created_at < %s AND NOT EXISTS (SELECT 1 FROM monolift_saga s WHERE "
            "s.module = monolift_arrival.module AND s.name = monolift_arrival.saga AND "
            f"s.created_at < %s AND s.status NOT IN {_GONE_ON})",
            (module, before, before),
        )
        for module in modules_on(alias)
    )
    return Purged(sagas, arrivals)


def purge_old(alias: str) -> None:
    """Take away what is older than the project wants to keep it."""
    purge(alias, older_than=timedelta(days=setting("KEEP_SAGAS")))
