"""The relay: turns events of the outbox into deliveries, one per subscriber.

One relay works on a database at a time, so that events of a key reach their lane in order. It never
reads by "id above the last one", which loses late commits: it takes what is not marked.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connections, transaction

from monolift.events.subscriptions import Subscription, of_event
from monolift.registry.sql import execute, fetch, now
from monolift.registry.topology import topology

BATCH = 200
_LOCK = 0x6D6F6E6F6C696674  # "monolift": the advisory lock of the relay
_WAITING = "SELECT 1 FROM monolift_outbox WHERE relayed_at IS NULL LIMIT 1"


class Announced(NamedTuple):
    """An event of the outbox."""

    module: str
    event: str
    name: str
    key: str
    """Its own id when it has none."""
    number: int
    body: str
    trace: str


def relay(alias: str) -> int:
    """Relay what one database's outbox holds; the number of events.

    Deliveries on the same database are inserted in the commit that marks the events; those on
    another are committed there first, so that a crash between the two repeats and never loses.
    """
    if not fetch(alias, _WAITING):
        return 0
    with transaction.atomic(using=alias):
        if connections[alias].vendor == "postgresql":
            execute(alias, "SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        events = [
            Announced(*row)
            for row in fetch(
                alias,
                "SELECT module, event, name, key, number, body, trace FROM monolift_outbox "
                f"WHERE relayed_at IS NULL ORDER BY number LIMIT {BATCH}",
            )
        ]
        wanted: dict[str, list[tuple[Announced, Subscription]]] = {}
        for event in events:
            for subscription in of_event(event.name):
                target = topology().alias(subscription.module)
                wanted.setdefault(target, []).append((event, subscription))
        for target, deliveries in wanted.items():
            insert(target, deliveries)
        if events:
            marks = ", ".join(["%s"] * len(events))
            execute(
                alias,
                f"UPDATE monolift_outbox SET relayed_at = {now(alias)} WHERE relayed_at IS NULL "
                f"AND number BETWEEN %s AND %s AND event IN ({marks})",
                [events[0].number, events[-1].number, *(event.event for event in events)],
            )
    return len(events)


def insert(alias: str, deliveries: Sequence[tuple[Announced, Subscription]]) -> None:
    """Insert deliveries; one that is there already stays as it is."""
    rows: list[Any] = []
    for event, subscription in deliveries:
        rows += (
            subscription.module,
            event.event,
            subscription.name,
            event.module,
            event.name,
            None if event.key == event.event else event.key,
            event.number,
            event.body,
            event.trace,
        )
    moment = now(alias)
    one = f"(%s, %s, %s, %s, %s, %s, %s, %s, %s, 'pending', 0, '', '', {moment}, {moment})"
    execute(
        alias,
        "INSERT INTO monolift_delivery (module, event, subscriber, publisher, name, key, number, "
        "body, trace, state, attempts, token, failure, due_at, created_at) VALUES "
        + ", ".join([one] * len(deliveries))
        + " ON CONFLICT DO NOTHING",
        rows,
    )
