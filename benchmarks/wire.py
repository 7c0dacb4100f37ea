"""SQL statements as the database's driver sends them, whoever asked for them.

SQLite's own trace callback; PostgreSQL's libpq trace of the protocol. So what the library sends
past Django's cursor is counted as well.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connections

_CONTROL = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|SET|SHOW|DEALLOCATE)\b|--")
# timestamp, F for what the client sends, length, kind, content; the content is not escaped
_NAME = re.compile(r'"([^"]*)"')
_MESSAGE = re.compile(r"^[^\t\n]*\t([FB])\t\d+\t(\w+)", re.MULTILINE)
# Django asks this once a request when CONN_HEALTH_CHECKS is on: of the connection, not of the data.
_HEALTH_CHECK = "SELECT 1"


@contextmanager
def sent(alias: str = "default") -> Iterator[list[str]]:
    """The statements of the block, in order; filled when the block has ended.

    Without transaction control and without Django's check of a connection's health.
    """
    statements: list[str] = []
    connection = connections[alias]
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        everything: list[str] = []
        with _traced_sqlite(connection, everything):
            yield statements
    else:
        everything = []
        with _traced_postgresql(connection, everything):
            yield statements
    statements += [
        statement
        for statement in everything
        if not _CONTROL.match(statement.lstrip()) and statement.strip() != _HEALTH_CHECK
    ]


@contextmanager
def _traced_sqlite(connection: Any, statements: list[str]) -> Iterator[None]:
    driver = connection.connection
    driver.set_trace_callback(statements.append)
    try:
        yield
    finally:
        driver.set_trace_callback(None)


@contextmanager
def _traced_postgresql(connection: Any, statements: list[str]) -> Iterator[None]:
    driver = connection.connection.pgconn
    with tempfile.NamedTemporaryFile(prefix="libpq-trace-") as file:
        driver.trace(file.fileno())
        try:
            yield
        finally:
            driver.untrace()
        statements += _executed(Path(file.name).read_text(errors="replace"))


def _executed(trace: str) -> Iterator[str]:
    """What was executed, from libpq's trace: simple queries, and executions of prepared ones."""
    prepared: dict[str, str] = {}
    bound = ""
    starts = list(_MESSAGE.finditer(trace))
    ends = [start.start() for start in starts[1:]] + [len(trace)]
    for start, end in zip(starts, ends, strict=True):
        if start[1] != "F":
            continue
        content = trace[start.end() : end].strip()
        match start[2]:
            case "Query":
                yield _text(content)
            case "Parse":
                name = _NAME.match(content)
                assert name is not None
                prepared[name[1]] = _text(content[name.end() :])
            case "Bind":
                bound = _NAME.findall(content)[1]
            case "Execute":
                yield prepared.get(bound, f"prepared statement {bound}")


def _text(content: str) -> str:
    """A statement, up to its closing quote: what follows it are numbers."""
    return content.strip()[1:].rpartition('"')[0]
