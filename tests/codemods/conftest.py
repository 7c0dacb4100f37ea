"""The project that codemods rewrite."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from scripts.with_postgresql import server
from tests.codemods.depot import Depot, database


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """The URL of a PostgreSQL server: that of the run, else one that is started when asked for."""
    with ExitStack() as started:
        urls: list[str] = []

        def url() -> str:
            if not urls:
                given = os.environ.get("DATABASE_URL", "")
                own = not given.startswith("postgres")
                if own and not (
                    shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
                ):
                    pytest.skip("PostgreSQL is not installed")
                urls.append(started.enter_context(server()) if own else given)
            return urls[0]

        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def depot(
    request: pytest.FixtureRequest, tmp_path: Path, postgresql: Callable[[], str]
) -> Iterator[Depot]:
    """A copy of the project, for each database."""
    with database(postgresql() if request.param == "postgresql" else "") as url:
        yield Depot(tmp_path / "depot", database=url)


@pytest.fixture
def sources(tmp_path: Path) -> Depot:
    """A copy of the project whose database nobody needs."""
    return Depot(tmp_path / "depot")
