"""Runs the figures: one process per database, each with a data folder and a database of its own."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.results import Result

ROOT = Path(__file__).parents[1]
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"

# What needs a database runs on both; what it needs none for, once.
FIGURES: dict[str, tuple[str, ...]] = {
    "calls": (SQLITE,),
    "remote": (SQLITE,),
    "publish": (SQLITE, POSTGRESQL),
    "delivery": (SQLITE, POSTGRESQL),
    "throughput": (SQLITE, POSTGRESQL),
    "peers": (POSTGRESQL,),
    "checkout": (SQLITE, POSTGRESQL),
    "sagas": (SQLITE, POSTGRESQL),
    "reads": (SQLITE, POSTGRESQL),
    "pages": (SQLITE, POSTGRESQL),
    "sqlguard": (SQLITE, POSTGRESQL),
    "guards": (SQLITE,),
    "memory": (SQLITE,),
    "cuts": (SQLITE,),
    "lift": (SQLITE,),
    "lift_postgresql": (POSTGRESQL,),
    "lift_traffic": (POSTGRESQL,),
    "overload": (SQLITE,),
    "hung": (SQLITE,),
}
# Neither the shell's settings nor those of a surrounding test run are what is measured.
_NOT_INHERITED = ("MONOLIFT_", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PYTEST_")


class Failed(Exception):
    """A benchmark's process ended with an error; the message says which."""


def environment(data: Path, *, url: str = "") -> dict[str, str]:
    """Production settings, a data folder of its own, and the database."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)
    }
    return {
        **kept,
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "HTTPS": "0",
        "LOG_LEVEL": "ERROR",
        "MONOLIFT_DATA": str(data),
        "MONOLIFT_ENV": "production",
        "PYTHONPATH": str(ROOT),
        "SECRET_KEY": uuid.uuid4().hex,
    }


@contextlib.contextmanager
def durable_server() -> Iterator[str]:
    """The URL of a PostgreSQL that keeps what it has committed: DATABASE_URL, else one of ours."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    from scripts.with_postgresql import server

    with server(durable=True) as url:
        yield url


@contextlib.contextmanager
def own_database(server_url: str) -> Iterator[str]:
    """A new database on that server, gone afterwards; its URL."""
    import psycopg

    name = f"benchmark_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield server_url.rpartition("/")[0] + f"/{name}"
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def measure(
    figures: Sequence[str],
    *,
    database: str,
    short: bool,
    url: str = "",
    seen: Callable[[Result], None],
) -> None:
    """Run figures on one database; `seen` is given each result as it comes. Raises Failed."""
    if not figures:
        return
    with tempfile.TemporaryDirectory(prefix="monolift-benchmark-") as folder:
        command = [sys.executable, "-m", "benchmarks.inside", "--database", database, *figures]
        process = subprocess.Popen(
            [*command, *(["--short"] if short else [])],
            cwd=ROOT,
            env=environment(Path(folder), url=url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                seen(Result(**json.loads(line)))
            if process.wait():
                raise Failed(
                    f"{', '.join(figures)} on {database} ended with status {process.returncode}; "
                    "the reason is above."
                )
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
