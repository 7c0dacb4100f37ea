"""Errors that a database really raises: it is in another's way, full, or gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, connections

from monolift.registry.topology import topology


def in_the_way(module: str = "sales", *, state: str = "40001") -> None:
    """What a serialisation failure (40001) or a deadlock (40P01) does to the open transaction.

    SQLite knows neither; there a table is locked, because it is being read.
    """
    connection = _connection(module)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DO $$ BEGIN RAISE 'in the way' USING ERRCODE = '{state}'; END $$")
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS narrow AS SELECT 1 AS n UNION SELECT 2")
        with connection.cursor() as reader:
            reader.execute("SELECT n FROM narrow")
            reader.fetchone()
            cursor.execute("DROP TABLE narrow")


def no_room(module: str = "sales") -> None:
    """Write more than there is room for."""
    connection = _connection(module)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DO $$ BEGIN RAISE 'no space left' USING ERRCODE = '53100'; END $$")
        cursor.execute("PRAGMA max_page_count = 1")  # as many as there are, at the least
        try:
            cursor.execute("CREATE TABLE no_room AS SELECT zeroblob(10000000)")
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")


def break_down(module: str = "sales") -> None:
    """PostgreSQL ends the session; SQLite's file may not be written, until `mend`."""
    connection = _connection(module)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            cursor.execute("SELECT 1")
        cursor.execute("PRAGMA query_only = on")
        cursor.execute("DELETE FROM monolift_saga")  # refused
    raise DatabaseError("it did not break down")


def mend(module: str = "sales") -> None:
    """It works again."""
    connection = _connection(module)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = off")


def _connection(module: str) -> Any:
    return connections[topology().alias(module)]


@contextmanager
def in_use(module: str = "sales") -> Iterator[None]:
    """Another session writes, for so long that nobody waits for it."""
    connection = _connection(module)
    other = connection.copy()
    postgresql = connection.vendor == "postgresql"
    wait = "SET lock_timeout = '20ms'" if postgresql else "PRAGMA busy_timeout = 0"
    with connection.cursor() as mine, other.cursor() as theirs:
        mine.execute(wait)
        theirs.execute("BEGIN" if postgresql else "BEGIN IMMEDIATE")
        if postgresql:
            theirs.execute("LOCK TABLE monolift_delivery, monolift_saga IN EXCLUSIVE MODE")
        try:
            yield
        finally:
            theirs.execute("ROLLBACK")
            other.connection.close()
            mine.execute("RESET lock_timeout" if postgresql else "PRAGMA busy_timeout = 5000")


@contextmanager
def unreachable(module: str = "sales") -> Iterator[None]:
    """Nobody answers who wants to connect."""
    connection = _connection(module)
    nowhere = {"HOST": "/nowhere", "NAME": "/nowhere/database"}
    before = connection.connection, dict(connection.settings_dict)
    connection.connection = None
    connection.settings_dict.update(nowhere)
    try:
        yield
    finally:
        connection.settings_dict.update(before[1])
        connection.connection = before[0]


@contextmanager
def no_lane_goes_on(module: str = "sales") -> Iterator[None]:
    """The database refuses to make a waiting delivery due."""
    when = "WHEN (OLD.state = 'waiting' AND NEW.state = 'pending')"
    connection = _connection(module)
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if postgresql:
            cursor.execute(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$BEGIN RAISE 'deadlock' USING ERRCODE = '40P01'; END$$"
            )
        action = (
            "EXECUTE FUNCTION refuse()" if postgresql else "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        cursor.execute(
            f"CREATE TRIGGER refuse BEFORE UPDATE ON monolift_delivery FOR EACH ROW {when} {action}"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER refuse" + (" ON monolift_delivery" if postgresql else ""))
            if postgresql:
                cursor.execute("DROP FUNCTION refuse()")


def break_the_commit(module: str = "sales") -> None:
    """Leave something in the open transaction that its COMMIT is refused for."""
    with _connection(module).cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE parent (id integer PRIMARY KEY)")
        cursor.execute(
            "CREATE TEMP TABLE child (parent integer REFERENCES parent (id) "
            "DEFERRABLE INITIALLY DEFERRED)"
        )
        cursor.execute("INSERT INTO child VALUES (7)")
