"""Raw statements on the platform's tables, alike on PostgreSQL and SQLite."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connections
from django.db.backends.signals import connection_created

from monolift.kernel import clock


def execute(alias: str, sql: str, parameters: Sequence[Any] = ()) -> int:
    """Run a statement; the number of rows it changed."""
    connection: Any = connections[alias]
    if _unwatched(connection):
        with connection.wrap_database_errors:
            return int(connection.connection.execute(_marks(sql), parameters).rowcount)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def fetch(alias: str, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement; its rows."""
    connection: Any = connections[alias]
    if _unwatched(connection):
        with connection.wrap_database_errors:
            return list(connection.connection.execute(_marks(sql), parameters).fetchall())
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


# A table that fills and empties all the time never has statistics that are true. A plan made from
# false ones reads all that waits, for each batch. So the planner is left no choice but the indexes,
# for one statement; and it is not to compile what it then takes for expensive.
_NO_CHOICE = ", ".join(
    f"set_config('{name}', 'off', true)"
    for name in (
        "enable_seqscan",
        "enable_bitmapscan",
        "enable_hashjoin",
        "enable_mergejoin",
        "enable_material",
        "enable_sort",
        "jit",
    )
)


def fetch_by_index(
    alias: str, sql: str, parameters: Sequence[str] = (), *, before: str = ""
) -> list[tuple[Any, ...]]:
    """Run a statement of a work queue, on PostgreSQL by its indexes alone; its rows.

    `before` is what to select first, in the same round trip and transaction: the statement's
    snapshot is younger. Parameters are str.
    """
    if vendor(alias) != "postgresql":
        return fetch(alias, sql, parameters)
    connection: Any = connections[alias]
    connection.ensure_connection()
    bound = sql % tuple(_literal(connection, value) for value in parameters)
    with connection.cursor() as cursor:
        # Several statements without parameters are one message, and one transaction.
        cursor.execute(f"SELECT {before or '1'}, {_NO_CHOICE}; {bound}")
        cursor.nextset()
        return list(cursor.fetchall())


def _literal(connection: Any, value: str) -> str:
    from psycopg.pq import Escaping

    escaping = Escaping(connection.connection.pgconn)
    return bytes(escaping.escape_literal(value.encode())).decode()


class Unconcerned:
    """Base of an `execute_wrapper` (an object, or a method of it) that need not see statements of
    the platform: it would let them pass.
    """

    __slots__ = ()


def listened(connection: Any) -> bool:
    """Whether an `execute_wrapper` of the connection has to see the platform's statements."""
    wrappers = connection.execute_wrappers
    return bool(wrappers) and not all(
        isinstance(getattr(wrapper, "__self__", wrapper), Unconcerned) for wrapper in wrappers
    )


def _unwatched(connection: Any) -> bool:
    """On SQLite Django's cursor costs more than the statement, so it is passed by.

    Not while somebody listens (an `execute_wrapper`, the debug log), nor in a broken transaction.
    """
    return bool(
        connection.vendor == "sqlite"
        and connection.connection is not None
        and not listened(connection)
        and not connection.needs_rollback
        and not connection.queries_logged
    )


@lru_cache(maxsize=256)
def _marks(sql: str) -> str:
    return sql.replace("%s", "?")


def _later(seconds: float) -> str:
    return sqlite_time(clock.now() + timedelta(seconds=seconds))


def _give_clock(connection: Any, **_: Any) -> None:
    """A function instead of a literal keeps a statement's text, and with it SQLite's plan of it."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("monolift_later", 1, _later, deterministic=True)


connection_created.connect(_give_clock, dispatch_uid="monolift.registry.sql")


def equip_open_connections() -> None:
    """Give the clock to connections that this thread opened before the library was loaded."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            _give_clock(connection)


def vendor(alias: str) -> str:
    """Which of the two dialects a database speaks: "postgresql" or "sqlite"."""
    engine = connections.settings[alias]["ENGINE"]
    known = _vendors.get(engine)
    if known is None:  # asking the connection takes longer than all of the rest
        known = _vendors[engine] = connections[alias].vendor
    return known


_vendors: dict[str, str] = {}


# Not clock_timestamp(): that may change within a statement, so no index would find what is due.
_NOW = "statement_timestamp()"


def now(alias: str) -> str:
    """An expression for the current time of the database, whose clock all its users share.

    SQLite has no clock but the machine's. A moved test clock moves both.
    """
    moved = clock.offset().total_seconds()
    if vendor(alias) == "postgresql":
        return f"({_NOW} + interval '{moved} seconds')" if moved else _NOW
    return "monolift_later(0)"


def after(alias: str, seconds: float) -> str:
    """An expression for the time `seconds` from now."""
    if vendor(alias) == "postgresql":
        moved = clock.offset().total_seconds() + seconds
        return f"({_NOW} + interval '{moved:.6f} seconds')"
    return f"monolift_later({float(seconds)!r})"


def moment(alias: str, at: datetime) -> Any:
    """A datetime as a parameter."""
    return connections[alias].ops.adapt_datetimefield_value(at)


def place(alias: str) -> str:
    """The column that says where a row is, within one statement."""
    return "ctid" if vendor(alias) == "postgresql" else "rowid"


def placed(alias: str, chosen: str) -> str:
    """A condition: the row is at one of the places that `chosen` selects.

    An UPDATE that is joined to what it is about may begin with the table instead, and read all of
    it for each row: when its statistics are of a time when it was empty. Here is nothing to choose.
    A row that somebody changes at the same moment is left out, or taken all the same: releases of
    PostgreSQL before the autumn of 2025 do not look at the place again. So say beside it what must
    still hold then.
    """
    return f"ctid = ANY(ARRAY({chosen}))" if place(alias) == "ctid" else f"rowid IN ({chosen})"


def skip_locked(alias: str) -> str:
    """The clause that lets several workers claim rows side by side; SQLite has one writer."""
    return "FOR UPDATE SKIP LOCKED" if vendor(alias) == "postgresql" else ""


def sqlite_time(at: datetime) -> str:
    """A time as Django writes it to SQLite, with microseconds: text order is time order."""
    return at.isoformat(" ", "microseconds")[:26]
