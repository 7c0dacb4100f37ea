"""Errors that a database really raises: it is in another's way, full, or gone."""

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
