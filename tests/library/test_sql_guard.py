"""The SQL guard: whose tables a statement may touch, and what is done where it may not."""

import importlib
from typing import Any

import pytest
from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.db import DatabaseError, connections, models, transaction
from django.db.models.fields.json import HasKey
from django.db.models.functions import Cast
from django.test.utils import isolate_apps
from pytest_django import Settings

from monolift.boundaries.sql import tally
from monolift.boundaries.sql.crossings import BoundaryCrossed
from monolift.boundaries.sql.facts import cache
from monolift.boundaries.sql.guard import Guard
from monolift.boundaries.sql.ownership import Ownership
from monolift.observe.matrix import matrix
from monolift.registry.sql import listened
from monolift.registry.topology import topology
from monolift.testing.statements import statements
from tests.library.on_behalf import on_behalf, run
from tests.library.world.stock.interface import Stock
from tests.library.world.stock.models import Item

pytestmark = pytest.mark.django_db(databases="__all__")


def guards() -> list[Any]:
    return [
        wrapper
        for connection in connections.all()
        for wrapper in connection.execute_wrappers
        if isinstance(getattr(wrapper, "__self__", None), Guard)
    ]


# Whose tables -------------------------------------------------------------------------------------


@isolate_apps("tests.library.world.stock", "tests.library.world.sales", "django.contrib.auth")
def test_tables_belong_to_the_module_of_their_model() -> None:
    class Label(models.Model):
        class Meta:
            app_label = "stock"
            db_table = 'shop"."Label'

    class Box(models.Model):
        labels: Any = models.ManyToManyField(Label)

        class Meta:
            app_label = "stock"

    class SmallBox(Box):
        class Meta:
            app_label = "sales"
            proxy = True

    class BigBox(Box):
        class Meta:
            app_label = "sales"

    class Report(models.Model):
        class Meta:
            app_label = "sales"
            managed = False
            db_table = "stock_box"

    class View(models.Model):
        class Meta:
            app_label = "sales"
            managed = False
            db_table = "odd view"

    class Account(models.Model):
        class Meta:
            app_label = "auth"

    through = Box.labels.through
    owned = Ownership([Report, View, Label, Box, SmallBox, BigBox, Account, through])
    assert owned.owner("label") == owned.owner("LABEL") == "stock"
    assert owned.owner("stock_box") == owned.owner("stock_box_labels") == "stock"
    assert owned.owner("sales_bigbox") == "sales"
    assert owned.owner("auth_account") is None
    assert owned.mentioned('SELECT 0 FROM "Stock_Box_Labels" JOIN "odd view"') == {"stock", "sales"}
    assert owned.mentioned("SELECT 0 FROM stock_boxes, auth_account") == set()


def test_an_app_inside_a_module_belongs_to_it() -> None:
    class Archive(AppConfig):
        label = "stock_archive"

    package = importlib.import_module("tests.library.world.cards")
    registry = Apps([Archive("tests.library.world.stock.archive", package)])

    class Box(models.Model):
        class Meta:
            apps = registry
            app_label = "stock_archive"

    assert Ownership([Box]).owner("stock_archive_box") == "stock"


def test_a_lock_is_not_taken_for_a_write() -> None:
    known = cache(connections["default"].vendor)
    assert not known.learn("SELECT sku FROM stock_item FOR UPDATE OF stock_item").may_write
    assert not known.learn("SELECT sku FROM stock_item FOR NO KEY UPDATE").may_write
    assert known.learn("UPDATE stock_item SET sku = ''").may_write
    assert not known.learn("UPDATE auth_user SET name = ''").may_write  # nobody's


# Tables and joins ---------------------------------------------------------------------------------


def test_own_tables_and_nobodys_tables_are_free() -> None:
    with on_behalf("stock"):
        assert list(Item.objects.all()) == []
        run("SELECT count(*) FROM monolift_outbox")
        run("SELECT count(*) FROM django_migrations")
        run("WITH sales_sale AS (SELECT sku FROM stock_item) SELECT sku FROM sales_sale")
        run("SELECT sales_sale.sku FROM stock_item AS sales_sale")


def test_another_modules_table_is_refused_with_the_way_out() -> None:
    with on_behalf("sales", "sales.report"), pytest.raises(BoundaryCrossed) as caught:
        Item.objects.filter(sku="secret-value").first()
    message = str(caught.value)
    assert message.startswith("sales.report reads stock_item, a table of stock")
    assert "Use a query of Stock (tests.library.world.stock.interface)" in message
    assert "use(Stock) in tests/library/world/sales/requires.py" in message
    assert "secret-value" not in message
    assert caught.value.crossing.rule == "sql-table"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE stock_item SET sku = 'a'",
        'DELETE FROM "stock_item" WHERE sku = %s',
        "INSERT INTO main.stock_item (sku) VALUES ('a')",
    ],
)
def test_writing_another_modules_table_names_a_command(sql: str) -> None:
    with on_behalf("sales"), pytest.raises(BoundaryCrossed, match=r"writes stock_item.* a command"):
        run(sql, *(["a"] if "%s" in sql else []))


def test_a_module_without_an_interface_is_told_to_offer_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(apps.get_app_config("sales"), "provides", {})
    with on_behalf("stock"), pytest.raises(BoundaryCrossed, match="sales provides no interface"):
        run("SELECT key FROM sales_sale")


def test_a_join_across_modules_is_refused() -> None:
    with on_behalf("sales"), pytest.raises(BoundaryCrossed) as caught:
        run("SELECT 1 FROM sales_sale s JOIN stock_item i ON i.sku = s.key")
    assert caught.value.crossing.rule == "sql-join"
    assert "joins sales_sale with stock_item, a table of stock" in str(caught.value)


def test_a_refused_statement_was_not_sent() -> None:
    alias = topology().alias("stock")
    with transaction.atomic(using=alias):
        with on_behalf("sales"), pytest.raises(BoundaryCrossed):
            run("INSERT INTO stock_item (sku) VALUES ('broken, and fatal on PostgreSQL')")
        Item.objects.create(sku="a", left=1)
    assert Item.objects.count() == 1


HARD_TO_READ = {
    "postgresql": (
        "SELECT left FROM stock_item WHERE sku::jsonb ? 'a'",
        "DELETE FROM stock_item WHERE sku::jsonb ?| ARRAY['a', 'b']",
        "SELECT left FROM stock_item WHERE sku::jsonb ?& ARRAY['a'] OR sku::jsonb @? '$.a'",
        "SET CONSTRAINTS ALL IMMEDIATE; DELETE FROM stock_item",
        "SELECT key FROM sales_sale; LOCK TABLE stock_item IN EXCLUSIVE MODE",
        "LOCK TABLE stock_item IN EXCLUSIVE MODE",
    ),
    "sqlite": ("UPDATE OR IGNORE stock_item SET sku = 'a'",),
}


def test_what_is_hard_to_read_is_refused_as_well() -> None:
    for sql in HARD_TO_READ[connections[topology().alias("stock")].vendor]:
        with on_behalf("sales"), pytest.raises(BoundaryCrossed) as caught:
            run(sql)
        found = caught.value.crossing
        assert (found.rule, found.owner, found.table) == ("sql-table", "stock", "stock_item"), sql


def test_a_key_of_json_in_another_modules_table_is_looked_up_in_it() -> None:
    has_key = HasKey(Cast("sku", models.JSONField()), "a")
    with on_behalf("sales"), pytest.raises(BoundaryCrossed) as caught:
        Item.objects.filter(has_key).first()
    assert caught.value.crossing.read
    with on_behalf("stock"):
        assert Item.objects.filter(has_key).first() is None


def test_words_that_name_one_module_are_its_tables_where_nothing_can_be_read() -> None:
    tally.clear()
    with on_behalf("sales"), pytest.raises(BoundaryCrossed) as caught:
        run("SELEC left FRO stock_item")
    told = "sales.do names stock_item, a table of stock, in a statement that cannot be read"
    assert str(caught.value).startswith(told)
    with on_behalf("stock"), pytest.raises(DatabaseError, match="syntax"):
        run("SELEC left FRO stock_item")
    assert tally.unread() == {}


def test_what_cannot_be_read_is_counted() -> None:
    tally.clear()
    with on_behalf("sales"), pytest.raises(DatabaseError, match="syntax"):
        run("SELEC left FRO stock_item, sales_sale")
    assert tally.unread() == {"SELEC left FRO stock_item, sales_sale": 1}
    assert tally.found() == {}


def test_a_new_connection_is_guarded_first_of_all() -> None:
    def listen(execute: Any, *arguments: Any) -> Any:
        return execute(*arguments)

    other: Any = connections["default"].copy()
    try:
        with other.execute_wrapper(listen):
            other.connect()
            assert isinstance(other.execute_wrappers[0].__self__, Guard)
        assert len(other.execute_wrappers) == 1
        assert isinstance(other.execute_wrappers[0].__self__, Guard)
    finally:
        other.close()


# Modes --------------------------------------------------------------------------------------------


def test_it_is_off_where_nobody_asked(settings: Settings) -> None:
    assert guards()
    settings.MONOLIFT = {**settings.MONOLIFT, "SQL_GUARD": "off"}
    assert guards() == []
    with on_behalf("sales"):
        Item.objects.count()


def test_sampling_counts_and_lets_pass(settings: Settings) -> None:
    tally.clear()
    settings.MONOLIFT = {**settings.MONOLIFT, "SQL_GUARD": "sample", "SQL_GUARD_RATE": 1}
    with on_behalf("sales"):
        for _ in range(3):
            assert Item.objects.count() == 0
    (key,) = tally.found()
    assert (key.rule, key.module, key.owner, key.table) == (
        "sql-table",
        "sales",
        "stock",
        "stock_item",
    )
    assert tally.found()[key] == 3
    assert next(e.calls for e in matrix() if e.operation == "sql:stock_item") >= 3


def test_sampling_takes_its_share(settings: Settings) -> None:
    tally.clear()
    settings.MONOLIFT = {**settings.MONOLIFT, "SQL_GUARD": "sample", "SQL_GUARD_RATE": 0.25}
    with on_behalf("sales"):
        # Each block is a transaction; below a test's own all statements are of one.
        other: Any = connections[topology().alias("stock")].copy()
        try:
            other.connect()
            with other.cursor() as cursor:
                for _ in range(40):
                    with pytest.raises(Exception, match=r"no such column|does not exist"):
                        cursor.execute("SELECT missing FROM stock_item")
        finally:
            other.close()
    assert sum(tally.found().values()) == 10


def test_a_failure_of_the_guard_does_not_fail_production(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "SQL_GUARD": "sample", "SQL_GUARD_RATE": 1}

    def fail(*_: Any) -> None:
        raise LookupError("broken")

    monkeypatch.setattr(Guard, "_look", fail)
    with on_behalf("sales"):
        assert Item.objects.count() == 0


def test_the_platforms_own_statements_do_not_notice(stock: Stock) -> None:
    connection: Any = connections["default"]
    assert guards()
    assert not listened(connection)
    with statements():
        assert listened(connection)
