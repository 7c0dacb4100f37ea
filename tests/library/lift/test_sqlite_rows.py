"""Rows that are not copied as they are: which are found, and what becomes of what was there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from monolift import use
from monolift.lift.movers.sqlite import mover as movers
from monolift.lift.movers.sqlite.files import opened
from monolift.lift.moving import Blocked
from monolift.lift.plan.stage import Lift
from tests.library.lift.ways import execute, home, left, out
from tests.library.world.stock.interface import Stock

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

NUMBERS = [-(2**63), -1, 0, 1, 2**63 - 1]


@pytest.fixture
def numbered(lift: Lift) -> Iterator[None]:
    """A table whose rows have any numbers there are."""
    execute("CREATE TABLE stock_number (id INTEGER PRIMARY KEY)")
    execute(f"INSERT INTO stock_number VALUES {', '.join(f'({one})' for one in NUMBERS)}")
    yield
    connections["default"].close()
    with opened(_default()) as link:
        for name in ("stock_number", "monolift_moved_stock_number"):
            link.execute(f"DROP TABLE IF EXISTS {name}")


def test_rows_of_any_number_are_copied(lift: Lift, file: Path, numbered: None) -> None:
    out(lift)
    assert _column(str(file), "id", "stock_number") == NUMBERS


@pytest.mark.parametrize("way", ["out", "home"])
def test_what_differs_is_kept_as_it_was(
    lift: Lift, file: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """What goes back is the copy: without them nobody would have the rows any more. Twice."""
    use(Stock).fill(sku="a", quantity=5)
    kept = list[str]()
    if way == "home":
        out(lift)
    for value in (4, 3):
        with monkeypatch.context() as patch, pytest.raises(Blocked) as blocked:
            patch.setattr(movers.Feed, "carry", _forgetful(value))
            (out if way == "out" else home)(lift)
        text = str(blocked.value)
        assert f"on the database {'stock' if way == 'home' else 'default'!r}: put right" in text
        kept += [word.strip(",") for word in text.split() if word.endswith("_stock_item,")]
    there = str(file) if way == "home" else _default()
    assert [_column(there, "left", name) for name in kept] == [[5], [4]]
    assert left() == 3


def _forgetful(value: int) -> Any:
    carry = movers.Feed.carry

    def forgetful(self: Any, source: Any, target: Any) -> tuple[int, int]:
        done = carry(self, source, target)
        target.execute(f"UPDATE monolift_coming_stock_item SET left = {value}")
        return done

    return forgetful


def _default() -> str:
    return str(connections["default"].settings_dict["NAME"])


def _column(file: str, column: str, table: str) -> list[Any]:
    with opened(file) as link:
        return [value for (value,) in link.execute(f"SELECT {column} FROM {table} ORDER BY rowid")]
