"""The SQL guard: one transaction writes the tables of one module."""

import contextvars

import pytest
from django.db import connections, transaction
from pytest_django import Settings

from monolift.boundaries.sql.crossings import BoundaryCrossed
from monolift.registry.topology import topology
from monolift.registry.transactions import GroupAtomic
from tests.library.on_behalf import on_behalf
from tests.library.world.stock.models import Item

pytestmark = pytest.mark.django_db(databases="__all__")


_ROWS = {
    "stock": """INSERT INTO stock_item (sku, "left") VALUES ('a', 1)""",
    "sales": "INSERT INTO sales_mail (about, key) VALUES ('sold', 'a')",
}


def _write(module: str) -> None:
    """One row of a module, on the database that the test's transaction is on."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_ROWS[module])


@pytest.fixture
def one_database() -> None:
    """The rule is about modules that share a database."""
    if topology().alias("stock") != topology().alias("sales"):
        with connections["default"].cursor() as cursor:
            cursor.execute('CREATE TABLE stock_item (sku text, "left" integer)')
            cursor.execute("CREATE TABLE sales_mail (about text, key text)")


@pytest.mark.usefixtures("one_database")
def test_one_transaction_of_two_modules_is_refused() -> None:
    with transaction.atomic():
        with on_behalf("sales"):
            _write("sales")
        with on_behalf("stock", "stock.fill"), pytest.raises(BoundaryCrossed) as caught:
            _write("stock")
    assert caught.value.crossing.rule == "sql-transaction"
    assert "stock.fill writes" in str(caught.value)
    assert "One commit, one module" in str(caught.value)


@pytest.mark.usefixtures("one_database")
def test_two_transactions_one_after_the_other_are_two() -> None:
    block = transaction.atomic()  # one object, as a decorator has
    for module in ("sales", "stock", "sales"):
        with block, on_behalf(module):
            _write(module)
            with transaction.atomic():
                pass
            if module == "stock":
                Item.objects.using("default").all().delete()


@pytest.mark.usefixtures("one_database")
def test_a_savepoint_that_is_rolled_back_does_not_hide_a_write() -> None:
    with transaction.atomic():
        with on_behalf("sales"):
            _write("sales")
        with pytest.raises(ValueError, match="back"), transaction.atomic():
            raise ValueError("back")
        with on_behalf("stock"), pytest.raises(BoundaryCrossed, match="sql-transaction"):
            _write("stock")


@pytest.mark.usefixtures("one_database")
def test_fused_steps_of_a_saga_share_a_transaction() -> None:
    with GroupAtomic(using="default", savepoint=True, durable=False):
        for module in ("sales", "stock"):
            with on_behalf(module):
                _write(module)


@pytest.mark.usefixtures("one_database")
def test_reading_and_locking_is_not_writing() -> None:
    with transaction.atomic(), on_behalf(None):
        _write("sales")
        list(Item.objects.using("default").select_for_update())
        with on_behalf("sales"):
            _write("sales")


@pytest.mark.usefixtures("one_database")
def test_words_that_look_like_writing_are_read_again() -> None:
    with transaction.atomic(), on_behalf("sales"):
        _write("sales")
        with on_behalf("stock"), connections["default"].cursor() as cursor:
            cursor.execute('SELECT count(*) AS "insert" FROM stock_item')


@pytest.mark.usefixtures("one_database")
def test_what_was_written_outside_any_scope_counts() -> None:
    with transaction.atomic():
        contextvars.Context().run(_write, "sales")
        with on_behalf("stock"), pytest.raises(BoundaryCrossed, match="sql-transaction"):
            _write("stock")


@pytest.mark.usefixtures("one_database")
def test_a_transaction_is_only_warned_of_while_calls_in_one_are(settings: Settings) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "CALLS_IN_TRANSACTION": "warn"}
    with transaction.atomic():
        with on_behalf("sales"):
            _write("sales")
        with on_behalf("stock"), pytest.warns(RuntimeWarning, match="sql-transaction"):
            _write("stock")


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_real_transaction_forgets_at_its_end() -> None:
    alias = topology().alias("stock")
    block = transaction.atomic(using=alias)
    with block, on_behalf("stock"):
        Item.objects.create(sku="a", left=1)
        with transaction.atomic(using=alias):
            pass
        assert len(connections[alias].run_on_commit) == 1
    assert connections[alias].run_on_commit == []
    with pytest.raises(ValueError, match="back"), block, on_behalf("stock"):
        Item.objects.create(sku="b", left=1)
        raise ValueError("back")
    assert connections[alias].run_on_commit == []
