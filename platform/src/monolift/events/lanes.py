"""Lanes: what must stay in order, and how the next delivery of one becomes due.

A lane is (publishing module, key, subscribing module). What is handed over to a module elsewhere is
in a lane of the publisher's, with that module for its target. Of each lane one delivery is
*active*, pending or failed; a unique index refuses a second. Those behind it wait: no claim ever
looks at them, however many they are.

Whoever ends an active delivery looks for the next one after its commit; whoever inserts a waiting
one looks after its own. Of two that overlap, one sees the other, whichever commits first. What a
crash leaves between commit and look, `sweep` finds.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError

from monolift.observe.logs import logger
from monolift.registry.fence import refused_by_fence
from monolift.registry.sql import fetch_by_index, place, placed, vendor
from monolift.registry.topology import topology
from monolift.registry.troubles import in_the_way, out_of_order

log = logger("monolift.events")

_TRIES = 5
_SWEPT = 1000


class Lane(NamedTuple):
    """What must stay in order."""

    module: str
    publisher: str
    key: str
    target: str
    """Empty for a subscriber in this database; else the module that it is handed over to."""


# The conditions are those of the indexes on the table, word for word.
_OF_THE_LANE = (
    "FROM monolift_delivery d WHERE d.module = l.module AND d.publisher = l.publisher "
    "AND d.key = l.key AND d.target = l.target AND "
)
# A scalar subquery with a limit is looked up per lane; EXISTS would be hashed, over all that waits.
_ACTIVE = (
    f"(SELECT 1 {_OF_THE_LANE} d.state IN ('pending', 'failed') AND d.key IS NOT NULL LIMIT 1)"
)
_WAITING = f"{_OF_THE_LANE} d.state = 'waiting'"
_ANY = "EXISTS (SELECT 1 FROM monolift_delivery WHERE state = 'waiting')"  # mostly there is none
_NEXT = f"(SELECT {{columns}} {_WAITING} ORDER BY d.number, d.event, d.subscriber LIMIT 1)"

BUSY = f"({_ACTIVE} IS NOT NULL OR (SELECT 1 {_WAITING} LIMIT 1) IS NOT NULL)"
"""An SQL condition: in the lane of row `l` something is active or waits."""

_LANES = {
    "postgresql": "(SELECT value ->> 0 AS module, value ->> 1 AS publisher, value ->> 2 AS key, "
    "value ->> 3 AS target FROM json_array_elements(%s::json) AS given(value))",
    "sqlite": "(SELECT value ->> 0 AS module, value ->> 1 AS publisher, value ->> 2 AS key, "
    "value ->> 3 AS target FROM json_each(%s))",
}
_FIRST = (
    f"SELECT {_NEXT.format(columns='d.{place}')} FROM {{lanes}} l "
    f"WHERE {_ANY} AND {_ACTIVE} IS NULL"
)
# The state is looked at as an expression, or the planner may read all that waits to find the row,
# where it knows nothing of the table yet.
_PROMOTE = (
    "UPDATE monolift_delivery SET state = 'pending' WHERE {placed} AND state || '' = 'waiting' "
    "RETURNING 1"
)


def promote(alias: str, lanes: Iterable[Lane]) -> int:
    """Make the next delivery of each idle lane due; how many there were."""
    wanted = sorted(set(lanes))  # in one order: two that look at the same lock less crosswise
    if not wanted:
        return 0
    first = _FIRST.format(lanes=_LANES[vendor(alias)], place=place(alias))
    statement = _PROMOTE.format(placed=placed(alias, first))
    given = msgspec.json.encode(wanted).decode()
    for _ in range(_TRIES - 1):
        try:
            return len(fetch_by_index(alias, statement, (given,)))
        except (IntegrityError, OperationalError) as error:
            # Somebody else made another one of a lane due, or stood in the way of it: look again.
            if not isinstance(error, IntegrityError) and not in_the_way(error):
                raise
    return len(fetch_by_index(alias, statement, (given,)))


def go_on(alias: str, lanes: Iterable[Lane]) -> None:
    """`promote`, for who has done what matters: a lane that cannot go on is left to `sweep`.

    Where a fence refuses it, the lanes of each module go on by themselves, where that is now.
    Raises only when the database is out of order.
    """
    wanted = set(lanes)
    try:
        promote(alias, wanted)
    except (DatabaseError, InterfaceError) as error:
        if out_of_order(error):
            raise
        if not refused_by_fence(error):
            _leave(error)
            return
        known = topology()
        for module in sorted({lane.module for lane in wanted if known.runs(lane.module)}):
            try:
                promote(known.alias(module), {lane for lane in wanted if lane.module == module})
            except (DatabaseError, InterfaceError) as refusal:
                if out_of_order(refusal):
                    raise
                _leave(refusal)


def _leave(error: DatabaseError | InterfaceError) -> None:
    log.warning("lanes wait until they are swept", reason=str(error))


_THOSE = {
    "postgresql": "l.module = ANY(ARRAY(SELECT json_array_elements_text(%s::json)))",
    "sqlite": "l.module IN (SELECT value FROM json_each(%s))",
}


def sweep(alias: str, *, modules: Sequence[str]) -> int:
    """Find lanes that wait for nothing, which only a crash leaves; how many there were."""
    rows = fetch_by_index(
        alias,
        "SELECT DISTINCT l.module, l.publisher, l.key, l.target FROM monolift_delivery l "
        f"WHERE l.state = 'waiting' AND {_THOSE[vendor(alias)]} AND {_ACTIVE} IS NULL "
        f"LIMIT {_SWEPT}",
        (msgspec.json.encode(list(modules)).decode(),),
    )
    return promote(alias, (Lane(*row) for row in rows))
