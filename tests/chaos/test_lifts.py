"""Modules out and home while orders are placed: `make chaos` takes all, `make check` one a day."""

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator

import pytest

from monolift.kernel import clock
from tests.customers import AGREE, Customers
from tests.library.running import MONOLIFT, ROOT, Running, eventually, open_shop

MODULES = (
    "inventory", "payments", "orders", "pricing", "catalog", "shipping", "search", "notifications",
    "recommendations", "profiles",
)  # fmt: skip
TODAY = MODULES[clock.now().toordinal() % len(MODULES)]
CHOSEN = os.environ.get("MONOLIFT_LIFT_MODULES", TODAY)


@pytest.fixture(scope="module")
def shop() -> Iterator[Running]:
    """The shop, running."""
    with open_shop() as run:
        yield run


def lift(run: Running, *arguments: str) -> None:
    """A step of the lift, as an operator types it."""
    done = subprocess.run(
        [MONOLIFT, "lift", *arguments, "--watch-for", "2"],
        cwd=ROOT,
        env={**run.env, "MONOLIFT_DATA": str(run.data)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", MODULES if CHOSEN == "all" else CHOSEN.split(","))
def test_out_and_home_under_load(shop: Running, module: str) -> None:
    with Customers(shop) as customers:
        lift(shop, module, "--through", "soak")
        lift(shop, module, "land")
        summed = customers.leave()
    assert summed["failed"] == 0, summed["failures"]
    assert summed["orders"]
    eventually(lambda: len(set(_sums(shop))) == 1, what="orders, stock and holds agree")


def _sums(run: Running) -> tuple[int, ...]:
    with contextlib.closing(sqlite3.connect(run.data / "shop.sqlite3")) as link:
        found: tuple[int, ...] = link.execute(AGREE).fetchone()
        return found
