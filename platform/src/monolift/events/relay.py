"""The relay: turns events of the outbox into deliveries, one per subscriber.

It never reads by "id above the last one", which loses late commits: it takes what is not marked.
All of it happens in the publisher's database in one commit, also for subscribers elsewhere: theirs
is a delivery whose `target` says where to; a worker hands it over (`monolift.events.handover`).

One relay works on a database at a time, so that the events of a key come into their lane in order.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from django.db import transaction

from monolift.events import deliveries
from monolift.events.deliveries import HELD, Announced, Claimed
from monolift.events.lanes import BUSY, Lane, promote
from monolift.events.subscriptions import all_subscriptions, generation
from monolift.registry.places import Place
from monolift.registry.settings import setting
from monolift.registry.sql import after, execute, fetch, fetch_by_index, now, vendor
from monolift.registry.topology import on_change, topology

BATCH = 300
_LOCK = 0x6D6F6E6F6C696674  # "monolift": the advisory lock of the relay


class Wanted(NamedTuple):
    """A subscriber of an event, as a relay sees it."""

    name: str
    module: str
    """Whose delivery it is: the subscribing module's; the publisher's for what goes elsewhere."""
    subscriber: str
    target: str
    claimed: bool
    """Whether who relays also runs it."""


def target_of(place: Place, alias: str) -> str:
    """Where the deliveries of a module go, seen from a database; empty when they stay in it."""
    if not place.here:
        return place.deployable
    return "" if place.alias == alias else f"@{place.alias}"


class Audience(NamedTuple):
    """Who listens to what one database announces, or to what comes into it."""

    encoded: str
    elsewhere: bool
    """Whether anybody of them is not on the database."""


def audience(alias: str, *, here: bool = False, claim: Sequence[str] = ()) -> Audience:
    """The subscribers on a database, or (not `here`) everywhere, as a relay there sees them."""
    return _audience(alias, here, tuple(claim), generation())


@lru_cache(maxsize=64)
def _audience(alias: str, here: bool, claim: tuple[str, ...], _: int) -> Audience:
    known = topology()
    found = []
    for subscription in all_subscriptions():
        target = target_of(known.place(subscription.module), alias)
        event = subscription.event
        if not target:
            module, name = subscription.module, subscription.name
            found.append(Wanted(event.event_name, module, name, "", module in claim))
        elif not here:
            found.append(Wanted(event.event_name, event.event_owner, target, target, False))
    wanted = list(dict.fromkeys(found))
    return Audience(msgspec.json.encode(wanted).decode(), any(one.target for one in wanted))


on_change(_audience.cache_clear)


# Both dialects take lists as JSON, so that the statement's text, and with it its plan, stays.
_UNPACKED = {
    "postgresql": "json_array_elements(%s::json) AS given(value)",
    "sqlite": "json_each(%s)",
}
_WANTED = (
    "SELECT value ->> 0 AS name, value ->> 1 AS module, value ->> 2 AS subscriber, "
    "value ->> 3 AS target, value ->> 4 AS claimed FROM {unpacked}"
)
_COLUMNS = (
    "module, event, subscriber, publisher, target, name, key, number, body, trace, state, failure, "
    "due_at, created_at"
)
# The first of a lane is due, unless something of the lane is under way; the others wait.
_FRESH = (
    "fresh AS MATERIALIZED (SELECT l.module, l.event, l.subscriber, l.publisher, l.target, "
    "l.name, l.key, l.number, l.body, l.trace, "
    f"CASE WHEN l.key IS NOT NULL AND (l.place > 1 OR {BUSY}) THEN 'waiting' "
    "ELSE 'pending' END AS state, '' AS failure, {now} AS due_at, {now} AS created_at, l.claimed "
    "FROM "
    "(SELECT s.module, p.event, s.subscriber, p.module AS publisher, s.target, s.claimed, p.name, "
    "CASE WHEN p.key <> p.event THEN p.key END AS key, p.number, p.body, p.trace, "
    "ROW_NUMBER() OVER (PARTITION BY s.module, p.module, p.key, s.target "
    "ORDER BY p.number, p.event, s.subscriber) AS place "
    "FROM picked p JOIN wanted s ON s.name = p.name) l)"
)
# True in JSON is 'true' as text on PostgreSQL, and 1 on SQLite.
_CLAIMED = "f.state = 'pending' AND CAST(f.claimed AS text) IN ('true', '1')"
_INSERT = (
    f"INSERT INTO monolift_delivery ({_COLUMNS}, attempts, lease_until, token) "
    f"SELECT {_COLUMNS}, CASE WHEN {_CLAIMED} THEN {{attempts}} ELSE 0 END, "
    f"CASE WHEN {_CLAIMED} THEN {{lease}} END, CASE WHEN {_CLAIMED} THEN %s ELSE '' END "
    "FROM fresh f WHERE true ON CONFLICT (module, event, subscriber) DO NOTHING "
    f"RETURNING {HELD}, state"
)


class Relayed(NamedTuple):
    """What a relay has done."""

    events: int
    claimed: list[Claimed]
    """Deliveries that it holds, to be run now."""


def relay(alias: str, *, claim: Sequence[str] = ()) -> Relayed:
    """Relay what one database's outbox holds, a batch of it.

    The deliveries are inserted in the commit that marks the events. What is due for the modules to
    `claim` for is inserted as claimed: whoever relays runs it, without another look at the table.
    """
    insert = _INSERT.format(
        attempts=int(bool(claim)),
        lease=after(alias, setting("LEASE")) if claim else "CAST(NULL AS timestamp)",
    )
    token = deliveries.new_token() if claim else ""
    count, rows = _RELAY[vendor(alias)](
        alias, insert, (audience(alias, claim=claim).encoded, token)
    )
    promote(alias, _waiting(rows))
    return Relayed(count, [Claimed(*row[:-1]) for row in rows if claim and _is_claimed(row)])


def _waiting(rows: Sequence[Any]) -> Iterator[Lane]:
    for *held, state in rows:
        lane = Claimed(*held).lane
        if state == "waiting" and lane is not None:
            yield lane


def _is_claimed(row: Any) -> bool:
    return bool(Claimed(*row[:-1]).token)


type Moved = tuple[int, Sequence[Any]]


def _relay_postgresql(alias: str, insert: str, parameters: tuple[str, str]) -> Moved:
    # The statement's snapshot is younger than the lock: it sees all that the relay before it did.
    *rows, last = fetch_by_index(
        alias,
        "WITH picked AS MATERIALIZED (SELECT module, event, name, key, number, body, trace "
        "FROM monolift_outbox WHERE relayed_at IS NULL "
        f"AND current_setting('monolift.relay') = 'ours' ORDER BY number LIMIT {BATCH}), "
        f"marked AS (UPDATE monolift_outbox o SET relayed_at = {now(alias)} FROM picked p "
        "WHERE o.module = p.module AND o.key = p.key AND o.number = p.number "
        "AND o.event = p.event), "
        f"wanted AS ({_WANTED.format(unpacked=_UNPACKED['postgresql'])}), "
        f"{_FRESH.format(now=now(alias))}, inserted AS ({insert}) "
        "SELECT * FROM inserted WHERE token <> '' OR state = 'waiting' UNION ALL "
        f"SELECT {', '.join(['NULL'] * 6)}, COUNT(*), {', '.join(['NULL'] * 6)} FROM picked "
        "ORDER BY 1 NULLS LAST",
        parameters,
        before="set_config('monolift.relay', "
        f"CASE WHEN pg_try_advisory_xact_lock({_LOCK}) THEN 'ours' ELSE '' END, true)",
    )
    return last[6], rows


_PICKED = (
    "SELECT {columns} FROM monolift_outbox WHERE relayed_at IS NULL AND number <= "
    "(SELECT MAX(number) FROM (SELECT number FROM monolift_outbox WHERE relayed_at IS NULL "
    "ORDER BY number LIMIT {batch}) AS batch)"
)


def _relay_sqlite(alias: str, insert: str, parameters: tuple[str, str]) -> Moved:
    if not fetch(alias, "SELECT 1 FROM monolift_outbox WHERE relayed_at IS NULL LIMIT 1"):
        return 0, []
    picked = _PICKED.format(columns="module, event, name, key, number, body, trace", batch=BATCH)
    with transaction.atomic(using=alias):
        rows = fetch(
            alias,
            f"WITH picked AS ({picked}), "
            f"wanted AS ({_WANTED.format(unpacked=_UNPACKED['sqlite'])}), "
            f"{_FRESH.format(now=now(alias))} {insert}",
            parameters,
        )
        count = execute(
            alias,
            f"UPDATE monolift_outbox SET relayed_at = {now(alias)} WHERE rowid IN "
            f"({_PICKED.format(columns='rowid', batch=BATCH)})",
        )
    return count, rows


_RELAY = {"postgresql": _relay_postgresql, "sqlite": _relay_sqlite}


_ARRIVED = (
    "SELECT value ->> 0 AS module, value ->> 1 AS event, value ->> 2 AS name, value ->> 3 AS key, "
    "CAST(value ->> 4 AS bigint) AS number, value ->> 5 AS body, value ->> 6 AS trace "
    "FROM {unpacked}"
)


def insert(alias: str, events: Sequence[Announced]) -> None:
    """Insert the deliveries of a database's own subscribers for events that came from elsewhere.

    One that is there already stays as it is, so the same events may come any number of times.
    """
    unpacked = _UNPACKED[vendor(alias)]
    insert = _INSERT.format(now=now(alias), attempts=0, lease="CAST(NULL AS timestamp)")
    rows = fetch_by_index(
        alias,
        f"WITH picked AS ({_ARRIVED.format(unpacked=unpacked)}), "
        f"wanted AS ({_WANTED.format(unpacked=unpacked)}), "
        f"{_FRESH.format(now=now(alias))} {insert}",
        (
            msgspec.json.encode(list(events)).decode(),
            audience(alias, here=True).encoded,
            "",
        ),
    )
    promote(alias, _waiting(rows))
