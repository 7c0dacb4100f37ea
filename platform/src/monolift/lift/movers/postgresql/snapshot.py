"""A module's rows as they were when its feed's slot was made, by binary COPY.

The replication protocol tells with a new slot a snapshot: the feed brings what was committed after
it, and nothing else (PostgreSQL documentation, "Streaming Replication Protocol"). So the rows that
the snapshot shows, and the subscription, are one transaction of the subscriber: a tool that is
killed leaves nothing there. PostgreSQL's own initial copy does it table by table, as text, into
indexes that are there already, and reads the log again for each table; that takes much longer.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg.pq import ExecStatus

from monolift.lift.movers.postgresql.pace import Pace
from monolift.lift.movers.postgresql.pouring import pour
from monolift.lift.moving import GaveUp
from monolift.lift.sealing.postgresql.sides import Session, Side
from monolift.lift.sealing.postgresql.tables import (
    MARKER,
    PLATFORM,
    literal,
    own_tables,
    quoted,
)

_SLOT_WITHIN = 30.0
_EVERY = 50_000
"""Rows between two words about how far it is."""

_PATIENTLY = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"

type Copied = Callable[[int], None]
"""Told how many rows are copied."""


@contextmanager
def new_slot(side: Side, name: str) -> Iterator[str]:
    """Keep the log of a side from now on; gives the snapshot of that moment, for the block.

    It waits for the transactions that are open on the server, in whichever database. Raises GaveUp.
    """
    with side.connected(replication="database") as session:
        late = threading.Timer(_SLOT_WITHIN, session.cancel)
        late.start()
        try:
            command = f"CREATE_REPLICATION_SLOT {quoted(name)} LOGICAL pgoutput (SNAPSHOT 'export')"
            made = session.pgconn.exec_(command.encode())
        finally:
            late.cancel()
        if made.status != ExecStatus.TUPLES_OK:
            raise GaveUp(
                f"No replication slot came about at {side.alias!r} within {_SLOT_WITHIN:.0f} s: it "
                "waits for every transaction that is open on that server. Look in "
                "pg_stat_activity for the oldest xact_start, and end it. "
                f"({made.error_message.decode(errors='replace').strip()})"
            )
        yield made.get_value(0, 2).decode()


def copy_rows(source: Side, there: Session, *, snapshot: str, copied: Copied) -> None:
    """Into empty tables; in a transaction of `there` that is open. Triggers do not fire."""
    tables = own_tables(source.module)
    mine = f"module = {literal(source.module)}"
    wanted = [(table, "true") for table in tables] + [(one, mine) for one in (*PLATFORM, MARKER)]
    there.execute("SET LOCAL session_replication_role = replica")
    there.execute(_PATIENTLY)
    indexes = _indexes(there, tables)
    for name, _ in indexes:
        there.execute(f"DROP INDEX {name}")
    done = 0
    pace = Pace()
    with source.connected() as here, here.transaction():
        here.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        here.execute(f"SET TRANSACTION SNAPSHOT {literal(snapshot)}")
        here.execute(_PATIENTLY)
        for table, which in wanted:
            names = _columns(here, table)
            chosen = f"SELECT {names} FROM {quoted(table)} WHERE {which}"
            out = f"COPY ({chosen}) TO STDOUT (FORMAT binary)"
            into = f"COPY {quoted(table)} ({names}) FROM STDIN (FORMAT binary)"
            for rows in pour(here, out, there, into, pace=pace):
                told, done = done // _EVERY, done + rows
                if done // _EVERY > told:
                    copied(done)
    there.execute("SET LOCAL max_parallel_maintenance_workers = 0")  # the others need processors
    for _, definition in indexes:
        there.execute(definition)


def _indexes(there: Session, tables: list[str]) -> list[tuple[str, str]]:
    """Those that no constraint and no replica identity needs: their names, and what makes them."""
    rows = there.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid = ANY(%s::regclass[]) AND NOT indisreplident AND NOT EXISTS "
        "(SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)",
        ([quoted(table) for table in tables],),
    )
    found: list[tuple[str, str]] = rows.fetchall()
    return found


def _columns(session: Session, table: str) -> str:
    rows: list[tuple[Any]] = session.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
        "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
        (quoted(table),),
    ).fetchall()
    return ", ".join(quoted(name) for (name,) in rows)
