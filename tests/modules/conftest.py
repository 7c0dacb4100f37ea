"""Fixtures of the modules' tests."""

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def payment_sandbox(settings: Settings, tmp_path: Path) -> None:
    """Give each test a payment provider with empty books."""
    if hasattr(settings, "PAYMENTS"):  # not where another module is alone
        settings.PAYMENTS = {**settings.PAYMENTS, "SANDBOX_FILE": tmp_path / "sandbox.sqlite3"}
