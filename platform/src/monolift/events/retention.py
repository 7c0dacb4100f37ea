"""How long what is done is kept, and taking away what is older.

A delivery that is done is what keeps its event from being delivered again, so it must outlive every
repetition. Within one database there is none: an event is marked as relayed in the commit that
makes its deliveries. Between databases a hand-over is repeated until it is taken; one that is
repeated after longer than what is done is kept rests as failed (`monolift.events.handover`).
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from monolift.kernel import clock
from monolift.kernel.ids import uuid7_floor
from monolift.registry.sql import execute, moment, vendor
from monolift.registry.topology import modules_on

CHUNK = 1000
"""Rows a transaction: nobody waits long for one of them."""


class Purged(NamedTuple):
    """How many rows are gone."""

    events: int
    deliveries: int
    keys: int


def purge(alias: str, *, older_than: timedelta, keys_older_than: timedelta) -> Purged:
    """Take away relayed events, deliveries that are done, and keys with their answers.

    Those of the modules that run here: what others left behind when they moved is locked.
    What is not relayed, not done, failed or under way stays, however old it is.
    """
    limit = clock.now() - older_than
    before = moment(alias, limit)
    first_of_then = uuid7_floor(limit)
    mine = modules_on(alias)
    if not mine:
        return Purged(0, 0, 0)
    those = f"module IN ({', '.join(['%s'] * len(mine))})"
    deliveries = sum(
        delete_in_chunks(
            alias,
            "monolift_delivery",
            "module = %s AND event < %s AND state = 'done' AND done_at < %s",
            (module, first_of_then, before),
        )
        for module in mine
    )
    events = delete_in_chunks(
        alias,
        "monolift_outbox",
        f"relayed_at < %s AND number < %s AND {those}",
        (before, int(limit.timestamp() * 1e6), *mine),
    )
    keys = delete_in_chunks(
        alias,
        "monolift_key",
        f"created_at < %s AND state <> 'started' AND {those}",
        (moment(alias, clock.now() - keys_older_than), *mine),
    )
    return Purged(events, deliveries, keys)


def delete_in_chunks(alias: str, table: str, condition: str, parameters: tuple[object, ...]) -> int:
    """Delete the rows that a condition holds for, `CHUNK` a transaction; how many they were."""
    return sum(_chunks(alias, table, condition, parameters))


def _chunks(
    alias: str, table: str, condition: str, parameters: tuple[object, ...]
) -> Iterator[int]:
    row = "ctid" if vendor(alias) == "postgresql" else "rowid"
    chosen = f"SELECT {row} FROM {table} WHERE {condition} LIMIT {CHUNK}"
    gone = CHUNK
    while gone == CHUNK:
        gone = execute(
            alias,
            f"DELETE FROM {table} WHERE {row} = ANY(ARRAY({chosen}))"
            if row == "ctid"
            else f"DELETE FROM {table} WHERE {row} IN ({chosen})",
            parameters,
        )
        yield gone
