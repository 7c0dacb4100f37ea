"""A feed: native logical replication of one module's rows, from one side to the other.

The slot keeps the log from the moment that it is made; a subscription is made for a slot that is
there already, because the two may be in one server, where both at once would wait for each other.
PostgreSQL 15 cannot tell a row that was written from one that was applied, so there is never a feed
in both directions.
"""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import errors, sql

from monolift.lift.movers.postgresql.snapshot import Copied, copy_rows, new_slot
from monolift.lift.moving import Blocked, GaveUp
from monolift.lift.sealing.postgresql.sides import Session, Side
from monolift.lift.sealing.postgresql.tables import (
    MARKER,
    PLATFORM,
    literal,
    own_tables,
    quoted,
)

ROUNDS = 3
QUICK = 0.1
"""Seconds within which each of the rounds must come: a feed that is alive, not one with no lag."""
_ALIVE_WITHIN = 60.0
_LOOK = 0.001
_SLOT_WITHIN = 30.0
_GONE_WITHIN = 30.0


class Feed:
    """From a publisher to a subscriber. Everything can be repeated."""

    def __init__(self, publisher: Side, subscriber: Side) -> None:
        self.publisher = publisher
        self.subscriber = subscriber
        self.module = publisher.module
        self.tables = own_tables(self.module)
        self.publication = f"monolift_{self.module}"
        self.subscription = f"monolift_{self.module}"
        there = (subscriber.database, publisher.database, subscriber.conninfo())
        digest = hashlib.sha256("|".join(there).encode()).hexdigest()[:8]
        self.slot = f"monolift_{self.module}_{digest}"
        """One server may have both sides, and other systems: the name tells whose slot it is."""

    def statements(self) -> list[str]:
        """What makes it, as text; the address of the publisher is left out."""
        return [self.publishing(), *self._slot_statement(), self._subscribing("...", enabled=True)]

    def publishing(self) -> str:
        """The module's tables, and its rows of the platform's."""
        mine = f"WHERE (module = {literal(self.module)})"
        parts = [
            *(quoted(table) for table in self.tables),
            *(f"{table} {mine}" for table in (*PLATFORM, MARKER)),
        ]
        return f"CREATE PUBLICATION {quoted(self.publication)} FOR TABLE {', '.join(parts)}"

    def _slot_statement(self) -> list[str]:
        return [f"SELECT pg_create_logical_replication_slot({literal(self.slot)}, 'pgoutput')"]

    def _subscribing(self, address: str, *, enabled: bool) -> str:
        return (
            f"CREATE SUBSCRIPTION {quoted(self.subscription)} CONNECTION {literal(address)} "
            f"PUBLICATION {quoted(self.publication)} WITH (create_slot = false, "
            f"slot_name = {literal(self.slot)}, copy_data = false, "
            f"enabled = {str(enabled).lower()})"
        )

    def publish(self) -> None:
        """Make the publication, or make it as it must be."""
        with self.publisher.connected() as session:
            text = self.publishing()
            if _exists(session, "pg_publication", "pubname", self.publication):
                text = text.replace("CREATE", "ALTER", 1).replace(" FOR TABLE ", " SET TABLE ", 1)
            session.execute(text)

    def make_slot(self) -> None:
        """Keep the publisher's log from now on. Raises GaveUp.

        It waits for the transactions that are open on the server, in whichever database.
        """
        with self.publisher.connected() as session:
            if self.has_slot(session):
                return
            session.execute(f"DELETE FROM {MARKER} WHERE module = %s", (self.slot,))
            session.execute(f"SET statement_timeout = '{_SLOT_WITHIN:.0f}s'")
            try:
                session.execute(self._slot_statement()[0])
            except errors.QueryCanceled:
                raise GaveUp(
                    f"No replication slot came about at {self.publisher.alias!r} within "
                    f"{_SLOT_WITHIN:.0f} s: it waits for every transaction that is open on that "
                    "server. Look in pg_stat_activity for the oldest xact_start, and end it."
                ) from None

    def has_slot(self, session: Session) -> bool:
        """Whether the log is kept; asked at the publisher."""
        return _exists(session, "pg_replication_slots", "slot_name", self.slot)

    def subscribed(self, session: Session) -> bool:
        """Whether there is a subscription; asked at the subscriber."""
        found = session.execute(
            "SELECT 1 FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid "
            "WHERE d.datname = current_database() AND subname = %s",
            (self.subscription,),
        )
        return found.fetchone() is not None

    def copy(self, *, copied: Copied, reach: Callable[[str], None]) -> None:
        """Make the slot, copy the rows of its moment, and subscribe to what comes after it.

        One commit at the subscriber; a slot that an earlier attempt has left is made anew. Raises
        GaveUp and Blocked.
        """
        with self.publisher.connected() as session:
            drop_slots(session, lambda name: name == self.slot)
        try:
            with (
                new_slot(self.publisher, self.slot) as snapshot,
                self.subscriber.connected() as there,
                there.transaction(),
            ):
                reach("copy: slot")
                copy_rows(self.publisher, there, snapshot=snapshot, copied=copied)
                reach("copy: rows")
                there.execute(self._subscribing(self.publisher.conninfo(), enabled=True))
        except psycopg.Error as error:
            with suppress(psycopg.Error, Blocked):  # else the log is kept for nobody
                self.drop()
            raise Blocked(
                f"The rows of {self.module} could not be copied to {self.subscriber.alias!r}, and "
                f"none are there: {str(error).strip().rstrip('.')}. Put that right, and copy again."
            ) from error

    def subscribe(self) -> None:
        """Apply what the slot has kept, and what comes."""
        with self.subscriber.connected() as session:
            if not self.subscribed(session):
                session.execute(self._subscribing(self.publisher.conninfo(), enabled=False))
            self._enable(session)

    def _enable(self, session: Session) -> None:
        """Let it go on, or begin behind what it is to pass over."""
        name = quoted(self.subscription)
        begins = self._passed_over()
        if begins:
            session.execute("SET synchronous_commit = on")
            session.execute(
                "SELECT pg_replication_origin_advance('pg_' || s.oid, %s::pg_lsn) "
                "FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid "
                "LEFT JOIN pg_replication_origin_status o ON o.external_id = 'pg_' || s.oid "
                "WHERE d.datname = current_database() AND s.subname = %s AND NOT s.subenabled "
                "AND coalesce(o.remote_lsn, '0/0') < %s::pg_lsn",
                (begins, self.subscription, begins),
            )
        session.execute(f"ALTER SUBSCRIPTION {name} ENABLE")

    def _passed_over(self) -> str:
        with self.publisher.connected() as session:
            row = session.execute(
                f"SELECT mark FROM {MARKER} WHERE module = %s", (self.slot,)
            ).fetchone()
        return str(row[0]) if row else ""

    def disable(self, session: Session) -> None:
        """Let it rest: nothing is applied, and the slot keeps what comes."""
        session.execute(f"ALTER SUBSCRIPTION {quoted(self.subscription)} DISABLE")

    def advance(self, session: Session) -> None:
        """Pass over all that the publisher's log holds: it came from the other side.

        A slot forgets in a crash how far it was advanced since the last checkpoint. So the position
        is written down as well, in a row that no publication has, and the subscriber asks to begin
        there. The commit of that row is flushed, and with it what was applied before.
        """
        session.execute("SET synchronous_commit = on")
        [(position,)] = session.execute(
            f"INSERT INTO {MARKER} (module, mark) VALUES (%s, pg_current_wal_insert_lsn()::text) "
            "ON CONFLICT (module) DO UPDATE SET mark = excluded.mark RETURNING mark",
            (self.slot,),
        ).fetchall()
        session.execute("SELECT pg_replication_slot_advance(%s, %s::pg_lsn)", (self.slot, position))

    def copied(self, session: Session) -> bool:
        """Whether all tables are there and follow; asked at the subscriber."""
        states = self._states(session)
        return bool(states) and all(state == "r" for _, state in states)

    def _states(self, session: Session) -> list[tuple[int, str]]:
        rows: list[tuple[int, str]] = session.execute(
            "SELECT r.srrelid, r.srsubstate::text FROM pg_subscription_rel r "
            "JOIN pg_subscription s ON s.oid = r.srsubid WHERE s.subname = %s "
            "AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
            (self.subscription,),
        ).fetchall()
        return rows

    def stuck(self, session: Session) -> str:
        """Why nothing comes any more, if so; asked at the subscriber."""
        applied, copied = self.errors(session)
        if applied or copied:
            return (
                f"The feed of {self.module} to {self.subscriber.alias!r} meets errors "
                f"({applied} while it applied changes, {copied} while it copied): the log of that "
                "server says which row or column, or that there is no room. Put it right and go "
                f"on, or give the copy up: `monolift lift {self.module} land`."
            )
        return ""

    def errors(self, session: Session) -> tuple[int, int]:
        """How many it has met, ever: while it applied changes, and while it copied."""
        row = session.execute(
            "SELECT apply_error_count, sync_error_count FROM pg_stat_subscription_stats s "
            "JOIN pg_subscription p ON p.oid = s.subid WHERE s.subname = %s AND p.subdbid = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())",
            (self.subscription,),
        ).fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def behind(self) -> int:
        """Bytes of the publisher's log that are not confirmed yet."""
        with self.publisher.connected() as session:
            row = session.execute(
                "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint "
                "FROM pg_replication_slots WHERE slot_name = %s",
                (self.slot,),
            ).fetchone()
        return int(row[0] or 0) if row else 0

    def catch_up(self, told: Callable[[int], None]) -> None:
        """Wait for what was written until now, for as long as what is behind grows less.

        `told` is given the bytes of it on the way.
        """
        least = float("inf")
        end = time.monotonic() + _ALIVE_WITHIN
        with self.publisher.connected() as here, self.subscriber.connected() as there:
            mark = self.mark(here)
            while not self.arrived(there, mark, within=0.0):
                left = self.behind()
                told(left)
                if left < least:
                    least, end = left, time.monotonic() + _ALIVE_WITHIN
                elif time.monotonic() > end:
                    return
                time.sleep(QUICK)

    def wait_until_alive(self) -> float:
        """Wait for marks that come and go at once; how long that took. Raises GaveUp.

        A lag of zero does not say that anybody would apply the next row.
        """
        begun = time.monotonic()
        rounds = 0
        with self.publisher.connected() as here, self.subscriber.connected() as there:
            while rounds < ROUNDS:
                mark = self.mark(here)
                sent = time.monotonic()
                left = begun + _ALIVE_WITHIN - sent
                if left <= 0 or not self.arrived(there, mark, within=left):
                    raise GaveUp(
                        self.stuck(there)
                        or f"The feed of {self.module} from {self.publisher.alias!r} to "
                        f"{self.subscriber.alias!r} has not been alive for "
                        f"{_ALIVE_WITHIN:.0f} s: look in the log of the server of "
                        f"{self.subscriber.alias!r}."
                    )
                rounds = rounds + 1 if time.monotonic() - sent < QUICK else 0
        return time.monotonic() - begun

    def mark(self, session: Session) -> str:
        """Write a new mark at the publisher, flushed: a walsender sends nothing else."""
        mark = uuid4().hex
        session.execute("SET synchronous_commit = on")
        session.execute(
            f"INSERT INTO {MARKER} (module, mark) VALUES (%s, %s) "
            "ON CONFLICT (module) DO UPDATE SET mark = excluded.mark",
            (self.module, mark),
        )
        return mark

    def arrived(self, session: Session, mark: str, *, within: float) -> bool:
        """Whether a mark comes to the subscriber in time."""
        end = time.monotonic() + within
        while True:
            row = session.execute(
                f"SELECT mark FROM {MARKER} WHERE module = %s", (self.module,)
            ).fetchone()
            if row and row[0] == mark:
                return True
            if time.monotonic() > end:
                return False
            time.sleep(_LOOK)

    def drop(self) -> None:
        """End it: the subscription, its slot, and those of tables that were being copied."""
        numbers: list[int] = []
        with suppress(psycopg.errors.UndefinedTable), self.subscriber.connected() as session:
            if self.subscribed(session):
                name = quoted(self.subscription)
                numbers = [
                    row[0]
                    for row in session.execute(
                        "SELECT s.oid FROM pg_subscription s JOIN pg_database d "
                        "ON d.oid = s.subdbid WHERE d.datname = current_database() "
                        "AND subname = %s",
                        (self.subscription,),
                    ).fetchall()
                ]
                session.execute(f"ALTER SUBSCRIPTION {name} DISABLE")
                session.execute(f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")
                session.execute(f"DROP SUBSCRIPTION {name}")
        with self.publisher.connected() as session:
            drop_slots(session, lambda name: name == self.slot or _of_copying(name, numbers))


def drop_slots(session: Session, chosen: Callable[[str], bool]) -> list[str]:
    """Drop slots, also those that a worker still holds for a moment; their names."""
    names = [
        name
        for (name,) in session.execute("SELECT slot_name FROM pg_replication_slots").fetchall()
        if chosen(name)
    ]
    for name in names:
        end = time.monotonic() + _GONE_WITHIN
        while True:
            try:
                session.execute("SELECT pg_drop_replication_slot(%s)", (name,))
                break
            except errors.UndefinedObject:
                break
            except errors.ObjectInUse:
                if time.monotonic() > end:
                    raise Blocked(
                        f"The replication slot {name} is held by a session that does not end. End "
                        "it (pg_stat_replication says which), then resume."
                    ) from None
                session.execute(
                    "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                    "WHERE slot_name = %s AND active_pid IS NOT NULL",
                    (name,),
                )
                time.sleep(0.05)
    return names


def _of_copying(name: str, subscriptions: list[int]) -> bool:
    return any(name.startswith(f"pg_{number}_sync_") for number in subscriptions)


def _exists(session: Session, catalog: str, column: str, name: str) -> bool:
    query = sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(
        sql.Identifier(catalog), sql.Identifier(column)
    )
    found: Any = session.execute(query, (name,)).fetchone()
    return found is not None
