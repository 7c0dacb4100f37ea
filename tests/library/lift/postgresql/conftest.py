"""Servers for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.with_postgresql import server
from tests.library.lift.postgresql.places import Places, connect, places


def quick(url: str) -> None:
    """A feed that was let go on begins at once, not within five seconds."""
    with connect(url) as session:
        session.execute("ALTER SYSTEM SET wal_retrieve_retry_interval = '100ms'")
        session.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def first() -> Iterator[str]:
    """The URL of a server."""
    with server() as url:
        quick(url)
        yield url


@pytest.fixture(scope="session")
def second() -> Iterator[str]:
    """The URL of another one."""
    with server() as url:
        quick(url)
        yield url


@pytest.fixture(autouse=True)
def nobody_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread outlives a test: this process is told of moves, or refused."""
    monkeypatch.setattr("monolift.events.worker.follow", lambda: None)


@pytest.fixture
def world(first: str, tmp_path: Path, django_db_blocker: Any, no_faults: None) -> Iterator[Places]:
    """Two databases of one server."""
    with django_db_blocker.unblock(), places(first, first, tmp_path) as made:
        yield made


@pytest.fixture
def apart(
    first: str, second: str, tmp_path: Path, django_db_blocker: Any, no_faults: None
) -> Iterator[Places]:
    """A database on each of two servers."""
    with django_db_blocker.unblock(), places(first, second, tmp_path) as made:
        yield made
