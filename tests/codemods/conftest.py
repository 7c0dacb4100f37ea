"""The project that codemods rewrite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.codemods.depot import Depot, database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def depot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Depot]:
    """A copy of the project, for each database."""
    with database(request.param) as url:
        yield Depot(tmp_path / "depot", database=url)


@pytest.fixture
def sources(tmp_path: Path) -> Depot:
    """A copy of the project whose database nobody needs."""
    return Depot(tmp_path / "depot")
