"""The relay: turns events of the outbox into deliveries, one per subscriber.

It never reads by "id above the last one", which loses late commits: it takes what is not marked.
All of it happens in the publisher's database in one commit, also for subscribers elsewhere: theirs
is a delivery of the publisher's whose `target` says for which module it is. Where that is, is
looked up when it is handed over (`monolift.events.handover`). Until then the events behind it in
its lane take the same way, so that a module that has come home meanwhile gets them in order.

Of a database each deployable relays what the modules announced that it runs, one relay at a time,
so that the events of a key come into their lane in order.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from zlib import crc32

import msgspec
from django.db import DatabaseError, InterfaceError, transaction

from monolift.events import deliveries
from monolift.events.deliveries import HELD, Announced, Claimed, address
from monolift.events.lanes import BUSY, Lane, go_on, promote
from monolift.events.owed import owe
from monolift.events.subscriptions import all_subscriptions, generation
from monolift.registry.places import here
from monolift.registry.settings import setting
from monolift.registry.sql import after, execute, fetch, fetch_by_index, now, placed, vendor
from monolift.registry.topology import modules_on, on_change, topology

BATCH = 300
_LOCK = 0x6D6F6E6F  # "mono": the first half of the relay's advisory lock


class Wanted(NamedTuple):
    """A subscriber of an event, as a relay sees it."""

    name: str
    module: str
    """Whose delivery it is: the subscribing module's; the publisher's for what is handed over."""
    subscriber: str
    target: str
    """Empty for a subscriber on the database; else the address of its module."""
    claimed: bool
    """Whether who relays also runs it."""


class Audience(NamedTuple):
    """Who listens to what one database announces, or to what comes into it."""

    encoded: str
    elsewhere: bool
    """Whether anybody of them is not on the database."""
    relayed: str
    """The modules whose events are relayed here."""


def audience(alias: str, *, here: bool = False, claim: Sequence[str] = ()) -> Audience:
    """The subscribers on a database, or (not `here`) everywhere, as a relay there sees them."""
    return _audience(alias, here, tuple(claim), generation(), topology().epoch)


# By the epoch too: what is worked out while the topology changes is kept after all was forgotten.
@lru_cache(maxsize=64)
def _audience(alias: str, here: bool, claim: tuple[str, ...], _: int, __: int) -> Audience:
    local = set(modules_on(alias))
    found = []
    for subscription in all_subscriptions():
        module, event = subscription.module, subscription.event
        if module in local:
            name = subscription.name
            found.append(Wanted(event.event_name, module, name, "", module in claim))
        elif not here:
            owner = event.event_owner
            found.append(Wanted(event.event_name, owner, module, address(module), False))
    wanted = list(dict.fromkeys(found))
    return Audience(
        msgspec.json.encode(wanted).decode(),
        any(one.target for one in wanted),
        msgspec.json.encode(sorted(local)).decode(),
    )


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
    "(SELECT s.module, s.event, s.subscriber, s.publisher, s.target, s.claimed, s.name, s.key, "
    "s.number, s.body, s.trace, "
    "ROW_NUMBER() OVER (PARTITION BY s.module, s.publisher, COALESCE(s.key, s.event), s.target "
    "ORDER BY s.number, s.event, s.subscriber) AS place FROM {addressed}) l)"
)
_ADDRESSED = (
    "(SELECT s.module, p.event, s.subscriber, p.module AS publisher, s.target, s.claimed, p.name, "
    "CASE WHEN p.key <> p.event THEN p.key END AS key, p.number, p.body, p.trace "
    "FROM picked p JOIN wanted s ON s.name = p.name{those}) s"
)
# Of a module that was elsewhere: what was announced then is still to be handed over to it.
_BEHIND = (
    "FROM monolift_delivery d WHERE d.module = s.publisher AND d.publisher = s.publisher "
    f"AND d.key = s.key AND d.target = '{address('')}' || s.module AND "
)
_LATE = (
    "(s.target = '' AND s.key IS NOT NULL AND ("
    f"(SELECT 1 {_BEHIND} d.state IN ('pending', 'failed') AND d.key IS NOT NULL LIMIT 1) "
    f"IS NOT NULL OR (SELECT 1 {_BEHIND} d.state = 'waiting' LIMIT 1) IS NOT NULL))"
)
_IN_ORDER = (
    "(SELECT CASE WHEN s.late THEN s.publisher ELSE s.module END AS module, s.event, "
    "CASE WHEN s.late THEN s.module ELSE s.subscriber END AS subscriber, s.publisher, "
    f"CASE WHEN s.late THEN '{address('')}' || s.module ELSE s.target END AS target, "
    "CASE WHEN s.late THEN 'false' ELSE CAST(s.claimed AS text) END AS claimed, "
    "s.name, s.key, s.number, s.body, s.trace "
    f"FROM (SELECT s.*, {_LATE} AS late FROM {_ADDRESSED.format(those='')}) s) s"
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


_calm: set[str] = set()
"""Databases on which nothing was left to be handed over, in this topology."""


def anything_left(alias: str) -> bool:
    """Whether something is to be handed over to modules that came home: looked at until not."""
    if alias in _calm:
        return False
    if deliveries.any_away(alias, modules=modules_on(alias)):
        return True
    _calm.add(alias)
    return False


on_change(_calm.clear)


def _addressed(alias: str, heard: Audience) -> str:
    """Where all has been at home ever since, nobody need look for what is to come before."""
    if topology().epoch or heard.elsewhere or anything_left(alias):
        return _IN_ORDER
    return _ADDRESSED.format(those="")


def relay(alias: str, *, claim: Sequence[str] = ()) -> Relayed:
    """Relay what one database's outbox holds of the modules that run here, a batch of it.

    The deliveries are inserted in the commit that marks the events. What is due for the modules to
    `claim` for is inserted as claimed: whoever relays runs it, without another look at the table.
    When it raises, what it had claimed is owed.
    """
    insert = _INSERT.format(
        attempts=int(bool(claim)),
        lease=after(alias, setting("LEASE")) if claim else "CAST(NULL AS timestamp)",
    )
    token = deliveries.new_token() if claim else ""
    count, rows = _RELAY[vendor(alias)](alias, insert, audience(alias, claim=claim), token)
    claimed = [Claimed(*row[:-1]) for row in rows if claim and _is_claimed(row)]
    try:
        go_on(alias, _waiting(rows))
    except (DatabaseError, InterfaceError):
        owe(alias, claimed)
        raise
    return Relayed(count, claimed)


def _waiting(rows: Sequence[Any]) -> Iterator[Lane]:
    for *held, state in rows:
        lane = Claimed(*held).lane
        if state == "waiting" and lane is not None:
            yield lane


def _is_claimed(row: Any) -> bool:
    return bool(Claimed(*row[:-1]).token)


type Moved = tuple[int, Sequence[Any]]


def _relay_postgresql(alias: str, insert: str, heard: Audience, token: str) -> Moved:
    # The statement's snapshot is younger than the lock: it sees all that the relay before it did.
    fresh = _FRESH.format(now=now(alias), addressed=_addressed(alias, heard))
    lock = crc32(f"{here()} {alias}".encode()) - 2**31
    *rows, last = fetch_by_index(
        alias,
        "WITH picked AS MATERIALIZED (SELECT ctid, module, event, name, key, number, body, trace "
        "FROM monolift_outbox WHERE relayed_at IS NULL "
        f"AND {_OF_MODULES['postgresql']} "
        f"AND current_setting('monolift.relay') = 'ours' ORDER BY number LIMIT {BATCH}), "
        f"marked AS (UPDATE monolift_outbox SET relayed_at = {now(alias)} "
        f"WHERE {placed(alias, 'SELECT ctid FROM picked')}), "
        f"wanted AS ({_WANTED.format(unpacked=_UNPACKED['postgresql'])}), "
        f"{fresh}, inserted AS ({insert}) "
        "SELECT * FROM inserted WHERE token <> '' OR state = 'waiting' UNION ALL "
        f"SELECT {', '.join(['NULL'] * 6)}, COUNT(*), {', '.join(['NULL'] * 6)} FROM picked "
        "ORDER BY 1 NULLS LAST",
        (heard.relayed, heard.encoded, token),
        before="set_config('monolift.relay', "
        f"CASE WHEN pg_try_advisory_xact_lock({_LOCK}, {lock}) THEN 'ours' ELSE '' END, true)",
    )
    return last[6], rows


_OF_MODULES = {
    "postgresql": "module = ANY(ARRAY(SELECT json_array_elements_text(%s::json)))",
    # By the index of what is not relayed, not by one that begins with the module.
    "sqlite": "+module IN (SELECT value FROM json_each(%s))",
}
_UNRELAYED = f"monolift_outbox WHERE relayed_at IS NULL AND {_OF_MODULES['sqlite']}"
_PICKED = (
    f"SELECT {{columns}} FROM {_UNRELAYED} AND number <= "
    f"(SELECT MAX(number) FROM (SELECT number FROM {_UNRELAYED} "
    "ORDER BY number LIMIT {batch}) AS batch)"
)


def _relay_sqlite(alias: str, insert: str, heard: Audience, token: str) -> Moved:
    relayed = heard.relayed
    if not fetch(alias, f"SELECT 1 FROM {_UNRELAYED} LIMIT 1", (relayed,)):
        return 0, []
    picked = _PICKED.format(columns="module, event, name, key, number, body, trace", batch=BATCH)
    with transaction.atomic(using=alias):
        rows = fetch(
            alias,
            f"WITH picked AS ({picked}), "
            f"wanted AS ({_WANTED.format(unpacked=_UNPACKED['sqlite'])}), "
            f"{_FRESH.format(now=now(alias), addressed=_addressed(alias, heard))} {insert}",
            (relayed, relayed, heard.encoded, token),
        )
        count = execute(
            alias,
            f"UPDATE monolift_outbox SET relayed_at = {now(alias)} WHERE rowid IN "
            f"({_PICKED.format(columns='rowid', batch=BATCH)})",
            (relayed, relayed),
        )
    return count, rows


_RELAY = {"postgresql": _relay_postgresql, "sqlite": _relay_sqlite}


_ARRIVED = (
    "SELECT value ->> 0 AS module, value ->> 1 AS event, value ->> 2 AS name, value ->> 3 AS key, "
    "CAST(value ->> 4 AS bigint) AS number, value ->> 5 AS body, value ->> 6 AS trace, "
    "value ->> 7 AS modules FROM {unpacked}"
)
# The modules that an event is for, as ",sales,search,"; none for all.
_FOR_THEM = {
    "postgresql": " AND (p.modules = '' OR strpos(p.modules, ',' || s.module || ',') > 0)",
    "sqlite": " AND (p.modules = '' OR instr(p.modules, ',' || s.module || ',') > 0)",
}


def insert(alias: str, events: Sequence[Announced]) -> None:
    """Insert the deliveries of a database's own subscribers for events that came from elsewhere.

    Those of the modules that an event is for. One that is there already stays as it is, so the same
    events may come any number of times.
    """
    kind = vendor(alias)
    unpacked = _UNPACKED[kind]
    insert = _INSERT.format(now=now(alias), attempts=0, lease="CAST(NULL AS timestamp)")
    addressed = _ADDRESSED.format(those=_FOR_THEM[kind])
    rows = fetch_by_index(
        alias,
        f"WITH picked AS ({_ARRIVED.format(unpacked=unpacked)}), "
        f"wanted AS ({_WANTED.format(unpacked=unpacked)}), "
        f"{_FRESH.format(now=now(alias), addressed=addressed)} {insert}",
        (
            msgspec.json.encode([(*event[:7], _listed(event.to)) for event in events]).decode(),
            audience(alias, here=True).encoded,
            "",
        ),
    )
    promote(alias, _waiting(rows))


def _listed(labels: Sequence[str]) -> str:
    return f",{','.join(labels)}," if labels else ""
