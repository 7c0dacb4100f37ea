"""Rules for the whole suite."""

import gc
import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest

# Set by `.ci/run`: there every server is installed, so a skipped test is a test that was lost.
REQUIRE_ALL = bool(os.environ.get("MONOLIFT_REQUIRE_ALL"))

# A child that a test forks must not collect what its parent left: a client of Kafka ends threads
# that are not in the child, and aborts or hangs.
os.register_at_fork(after_in_child=gc.freeze)


def _refuse_skip[R: (pytest.TestReport, pytest.CollectReport)](report: R) -> R:
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}. MONOLIFT_REQUIRE_ALL is set, so nothing may be skipped."
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip of a test into a failure where everything is required."""
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skip of a whole file into a failure where everything is required."""
    return _refuse_skip((yield))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--remote` and `--of-database`."""
    parser.addoption(
        "--remote",
        choices=("split", "each"),
        help="run the contract suites against the shop in that topology (tests/remote.py)",
    )
    parser.addoption(
        "--of-database",
        action="store_true",
        help="leave out what says nothing of the database of this run: no database is open to it, "
        "or it starts processes with databases of their own",
    )


def _is_of_database(item: pytest.Item) -> bool:
    marks = any(item.get_closest_marker(name) for name in ("django_db", "postgresql", "database"))
    fixtures = set(getattr(item, "fixturenames", ()))
    return marks or bool(fixtures & {"db", "transactional_db", "live_server"})


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about PostgreSQL itself (`@pytest.mark.postgresql`) on other databases, and
    what is about modules that share one (`one_database`) where each has its own.

    Left out, not skipped: nothing is missing there.
    """
    if config.getoption("remote"):
        from tests.remote import contract_suites

        items[:], others = contract_suites(items)
        config.hook.pytest_deselected(items=others)
        return
    left_out = []
    if config.getoption("of_database"):
        left_out += [item for item in items if not _is_of_database(item)]
    if os.environ.get("MONOLIFT_DATABASES") == "each":
        left_out += [item for item in items if item.get_closest_marker("one_database")]
    if of_postgresql := [item for item in items if item.get_closest_marker("postgresql")]:
        from django.db import connection

        left_out += of_postgresql if connection.vendor != "postgresql" else []
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


# What migrating wrote. Emptied, it would be written again for each database after each test.
_KEPT = {"django_content_type", "auth_permission"}


def pytest_configure(config: pytest.Config) -> None:
    """Empty the databases by as little as it takes, after a test with transactions of its own.

    By DELETE, since the tables hold a few rows and PostgreSQL's TRUNCATE makes new files for each;
    and without the signal after migrating, which fills in content types and permissions.
    """
    from django.core.management.commands import flush
    from django.db.backends.base.base import BaseDatabaseWrapper

    tables: dict[str, list[str]] = {}

    def sql_flush(style: Any, connection: BaseDatabaseWrapper, **_: Any) -> list[str]:
        if connection.alias not in tables:
            existing = connection.introspection.django_table_names(only_existing=True)
            tables[connection.alias] = sorted(set(existing) - _KEPT)
        deletes = [
            f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables[connection.alias]
        ]
        if connection.vendor != "postgresql":
            return deletes
        unchecked = "SET LOCAL session_replication_role = replica"
        return ["; ".join([unchecked, *deletes])] if deletes else []

    flush.sql_flush = sql_flush
    flush.emit_post_migrate_signal = lambda *_, **__: None


@pytest.fixture(scope="session")
def remote_stack(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The stack of the whole run, with `--remote`."""
    from tests.remote import stack

    with stack(request.config.getoption("remote")) as started:
        yield started


@pytest.fixture(autouse=True)
def remote(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With `--remote`, each test begins with empty databases there."""
    if not request.config.getoption("remote"):
        yield
        return
    from tests.remote import emptied

    with emptied(request.getfixturevalue("remote_stack"), monkeypatch):
        yield
