"""What hangs on a module's tables in a SQLite file moves with them."""

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connections
from django.test import override_settings

from monolift import use
from monolift.lift.movers.sqlite.files import opened
from monolift.lift.movers.sqlite.mover import SqliteMover
from monolift.lift.moving import Blocked, Move, Progress
from monolift.lift.plan.stage import Lift
from monolift.registry.places import here
from monolift.registry.topology import topology
from monolift.truth import row
from monolift.truth.document import Stay
from tests.library.lift.ways import execute, home, out, taken_back
from tests.library.world.stock.interface import Stock
from tests.library.world.stock.models import Item

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

TEXT = """
CREATE VIRTUAL TABLE stock_text USING fts5(sku, content='stock_item', content_rowid='rowid');
CREATE TRIGGER stock_text_added AFTER INSERT ON stock_item BEGIN
INSERT INTO stock_text (rowid, sku) VALUES (new.rowid, new.sku); END;
CREATE TRIGGER stock_text_gone AFTER DELETE ON stock_item BEGIN
INSERT INTO stock_text (stock_text, rowid, sku) VALUES ('delete', old.rowid, old.sku); END;
CREATE TABLE stock_note (id INTEGER PRIMARY KEY AUTOINCREMENT, sku REFERENCES stock_item (sku));
CREATE INDEX stock_note_of ON stock_note (sku) WHERE sku > '';
INSERT INTO stock_note (sku) VALUES ('pear');
"""
FOUND = "SELECT sku FROM stock_item WHERE rowid IN (SELECT rowid FROM stock_text WHERE sku MATCH ?)"


def test_what_refers_to_a_table_moves_with_it(lift: Lift, file: Path) -> None:
    """Foreign keys, indexes, triggers, and a full text, which is read together with its table."""
    default = str(connections["default"].settings_dict["NAME"])
    use(Stock).fill(sku="pear", quantity=5)
    use(Stock).fill(sku="plum", quantity=5)
    with opened(default) as link:
        link.executescript(TEXT)
        link.execute("INSERT INTO stock_text (stock_text) VALUES ('rebuild')")
    before = _schema(default)
    refused: list[BaseException] = []

    def search(progress: Progress) -> None:
        with pytest.raises(sqlite3.OperationalError, match="no such table") as found:
            _found(default, "plum")
        refused.append(found.value)

    try:
        out(lift)
        assert _schema(str(file)) == before
        Item.objects.filter(sku="plum").delete()
        assert _found(str(file), "pear OR plum") == ["pear"]
        lift.watch = search
        home(lift)
        assert refused
        assert _schema(default) == before
        assert _found(default, "pear OR plum") == ["pear"]
    finally:
        with opened(default) as link:
            for kind, name in link.execute(
                "SELECT type, name FROM sqlite_master WHERE type <> 'index' AND name IN "
                "('stock_text', 'stock_text_added', 'stock_text_gone', 'stock_note', "
                "'monolift_moved_stock_note') ORDER BY type DESC"
            ).fetchall():
                link.execute(f"DROP {kind} {name}")


TOTAL = """
CREATE TABLE stock_booking (id INTEGER PRIMARY KEY AUTOINCREMENT, amount INTEGER NOT NULL);
CREATE TABLE stock_account (id INTEGER PRIMARY KEY, total INTEGER NOT NULL);
INSERT INTO stock_account VALUES (1, 0);
CREATE TRIGGER stock_books AFTER INSERT ON stock_booking BEGIN
UPDATE stock_account SET total = total + new.amount; END;
CREATE TRIGGER stock_never BEFORE DELETE ON stock_booking BEGIN
SELECT RAISE(ABORT, 'kept for ever'); END;
INSERT INTO stock_booking (amount) VALUES (1), (2), (3);
"""


@pytest.fixture
def total() -> Iterator[None]:
    """A table whose trigger adds up, and one that lets nobody delete."""
    default = str(connections["default"].settings_dict["NAME"])
    with opened(default) as link:
        link.executescript(TOTAL)
    yield
    connections["default"].close()
    with opened(default) as link:
        for name in ("stock_booking", "stock_account"):
            link.execute(f"DROP TABLE IF EXISTS {name}")
            link.execute(f"DROP TABLE IF EXISTS monolift_moved_{name}")


def test_what_a_trigger_did_is_not_done_again_for_rows_that_are_copied(
    lift: Lift, file: Path, total: None
) -> None:
    """Nor for those that change meanwhile; before and after, it does what it does."""
    default = str(connections["default"].settings_dict["NAME"])
    before = _schema(default)
    expected = [6]

    def add(progress: Progress) -> None:
        if expected[0] % 10 == 6:
            expected[0] += 4
            with opened(default if topology().alias("stock") == "default" else str(file)) as link:
                link.execute("INSERT INTO stock_booking (amount) VALUES (4)")

    lift.watch = add
    for way, one in ((out, file), (home, default), (out, file)):
        way(lift)
        assert _schema(str(one)) == before
        with opened(str(one)) as link:
            link.execute("INSERT INTO stock_booking (amount) VALUES (6)")
            expected[0] += 6
            assert link.execute("SELECT total FROM stock_account").fetchall() == [(expected[0],)]


def test_a_trigger_comes_back_with_a_cut_over_that_is_done_again(
    lift: Lift, file: Path, total: None
) -> None:
    mover = SqliteMover(Move(module="stock", source="default", target="stock", budget=5.0))
    mover.copy(lambda progress: None)
    taken_back(mover)
    execute("INSERT INTO stock_booking (amount) VALUES (4)")
    there = Stay(deployable=here(), database="stock")
    mover.cut_over(lambda: row.change({"stock": there}))
    assert mover.verify()["differences"] == []
    with opened(str(file)) as link:
        link.execute("INSERT INTO stock_booking (amount) VALUES (5)")
        assert link.execute("SELECT total FROM stock_account").fetchall() == [(15,)]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("DELETE FROM sales_sale;", "cannot be made in a file of their own: .*sales_sale"),
        (
            "DELETE FROM stock_text; UPDATE stock_item SET left = left + 1;",
            "The trigger stock_added feeds a full text, and does something else",
        ),
    ],
    ids=["needs what stays", "feeds and does more"],
)
def test_triggers_that_cannot_move(lift: Lift, body: str, problem: str) -> None:
    execute("CREATE VIRTUAL TABLE stock_text USING fts5(sku, content='stock_item')")
    execute(f"CREATE TRIGGER stock_added AFTER INSERT ON stock_item BEGIN {body} END")
    try:
        with pytest.raises(Blocked, match=problem):
            out(lift)
        assert topology().alias("stock") == "default"
    finally:
        execute("DROP TRIGGER stock_added")
        execute("DROP TABLE stock_text")


THEIRS = """
from django.db import models
class Entry(models.Model):
    class Meta:
        app_label = "{label}"
        db_table = "{table}"
"""


@pytest.mark.parametrize(
    ("label", "table"),
    [("stock_history", "stock_history_entry"), ("stock_history", "stock_e"), ("sales", "stock_e")],
    ids=["an app of a longer name", "an app that is no module", "another module"],
)
def test_tables_whose_names_begin_like_the_modules_stay_with_their_owners(
    lift: Lift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, label: str, table: str
) -> None:
    """By their models, and those without one by the longest name of an app that fits."""
    (tmp_path / "stock_history").mkdir()
    (tmp_path / "stock_history" / "__init__.py").write_text("")
    (tmp_path / "stock_history" / "models.py").write_text(THEIRS.format(label=label, table=table))
    monkeypatch.syspath_prepend(tmp_path)
    made = [table, "stock_history_plain", "stock_history_text"]
    use(Stock).fill(sku="a", quantity=5)
    for name in made[:2]:
        execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, body TEXT)")
    execute(f"CREATE VIRTUAL TABLE stock_history_text USING fts5(body, content={made[1]})")
    try:
        with override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, "stock_history"]):
            out(lift)
            for name in made:
                execute(f"SELECT * FROM {name}")
            home(lift)
    finally:
        for name in reversed(made):
            execute(f"DROP TABLE IF EXISTS {name}")
            execute(f"DROP TABLE IF EXISTS monolift_moved_{name}")
        apps.all_models[label].pop("entry", None)
        for name in ("stock_history.models", "stock_history"):
            sys.modules.pop(name, None)
        apps.clear_cache()


def _found(file: str, words: str) -> list[str]:
    with opened(file) as link:
        return [sku for (sku,) in link.execute(FOUND, (words,))]


def _schema(file: str) -> set[tuple[str, ...]]:
    """The module's objects; names in statements may have quotes or not."""
    with opened(file) as link:
        return {
            (kind, name, table, (sql or "").replace('"', ""))
            for kind, name, table, sql in link.execute(
                "SELECT type, name, tbl_name, sql FROM sqlite_master"
            )
            if table.startswith("stock_") and not name.startswith("monolift_")
        }
