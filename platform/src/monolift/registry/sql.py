"""Raw statements on the platform's tables, alike on PostgreSQL and SQLite."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connections

from monolift.kernel import clock


def execute(alias: str, sql: str, parameters: Sequence[Any] = ()) -> int:
    """Run a statement; the number of rows it changed."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def fetch(alias: str, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement; its rows."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def now(alias: str) -> str:
    """An expression for the current time of the database, whose clock all its users share.

    SQLite has no clock but the machine's. A moved test clock moves both.
    """
    moved = clock.offset().total_seconds()
    if connections[alias].vendor == "postgresql":
        return f"(clock_timestamp() + interval '{moved} seconds')" if moved else "clock_timestamp()"
    return f"'{sqlite_time(clock.now())}'"


def after(alias: str, seconds: float) -> str:
    """An expression for the time `seconds` from now."""
    if connections[alias].vendor == "postgresql":
        moved = clock.offset().total_seconds() + seconds
        return f"(clock_timestamp() + interval '{moved:.6f} seconds')"
    moment = clock.now().timestamp() + seconds
    return f"'{sqlite_time(datetime.fromtimestamp(moment, tz=clock.now().tzinfo))}'"


def moment(alias: str, at: datetime) -> Any:
    """A datetime as a parameter."""
    return connections[alias].ops.adapt_datetimefield_value(at)


def skip_locked(alias: str) -> str:
    """The clause that lets several workers claim rows side by side; SQLite has one writer."""
    return "FOR UPDATE SKIP LOCKED" if connections[alias].vendor == "postgresql" else ""


def sqlite_time(at: datetime) -> str:
    """A time as Django writes it to SQLite, with microseconds: text order is time order."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")
