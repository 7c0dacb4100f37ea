"""Rules for the whole suite."""

import os
from collections.abc import Generator, Sequence
from typing import Any

import pytest

# Set by `.ci/run`: there every server is installed, so a skipped test is a test that was lost.
REQUIRE_ALL = bool(os.environ.get("MONOLIFT_REQUIRE_ALL"))


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about PostgreSQL itself (`@pytest.mark.postgresql`) on other databases.

    Left out, not skipped: nothing is missing there.
    """
    left_out = [item for item in items if item.get_closest_marker("postgresql")]
    if not left_out:
        return
    from django.db import connection

    if connection.vendor != "postgresql":
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_configure(config: pytest.Config) -> None:
    """Empty PostgreSQL's tables by DELETE.

    A test with transactions of its own empties every table of every database afterwards. They hold
    a few rows, and TRUNCATE makes new files for each.
    """
    from django.db.backends.postgresql.operations import DatabaseOperations

    def sql_flush(
        operations: DatabaseOperations, style: Any, tables: Sequence[str], **_: Any
    ) -> list[str]:
        names = [operations.quote_name(table) for table in tables]
        deletes = "; ".join(f"DELETE FROM {name}" for name in names)
        unchecked = "SET LOCAL session_replication_role = replica"
        return [f"{unchecked}; {deletes}"] if names else []

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign]  # in tests only
