"""The SQL guard: whose tables a statement may touch, in an operation, a view, a transaction."""

import contextvars
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import AppConfig
from django.apps.registry import Apps
from django.db import connections, models, transaction
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import isolate_apps
from django.urls import ResolverMatch
from pytest_django import Settings

from monolift import atomic, override, use
from monolift.boundaries.sql import tally
from monolift.boundaries.sql.attribution import context_of_command, named_context
from monolift.boundaries.sql.crossings import BoundaryCrossed
from monolift.boundaries.sql.facts import cache
from monolift.boundaries.sql.guard import Guard
from monolift.boundaries.sql.ownership import Ownership
from monolift.gateway.requests import RequestScopeMiddleware
from monolift.gateway.views import module_of_view
from monolift.kernel import CallFailed
from monolift.observe.matrix import matrix
from monolift.registry.scope import Scope, entered
from monolift.registry.sql import listened
from monolift.registry.topology import topology
from monolift.registry.transactions import GroupAtomic
from monolift.testing.statements import statements
from tests.library.world.sales import handlers
from tests.library.world.sales.models import Sale
from tests.library.world.stock.interface import Stock
from tests.library.world.stock.models import Item
from tests.library.world.stock.services import StockService

pytestmark = pytest.mark.django_db(databases="__all__")


@contextmanager
def on_behalf(module: str | None, operation: str = "") -> Iterator[None]:
    with entered(Scope(module, None, None, operation or f"{module}.do")):
        yield


def run(sql: str, *parameters: Any, module: str = "stock") -> None:
    """On the database of `module`, where its own tables are."""
    with connections[topology().alias(module)].cursor() as cursor:
        cursor.execute(sql, parameters)


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


def test_a_module_without_an_interface_is_told_to_offer_one() -> None:
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


def test_what_cannot_be_read_is_counted() -> None:
    tally.clear()
    with on_behalf("sales"), pytest.raises(Exception, match="syntax"):
        run("SELEC left FRO stock_item")
    assert tally.unread() == {"SELEC left FRO stock_item": 1}
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


# On whose behalf ----------------------------------------------------------------------------------


class Reaching(StockService):
    def misbehave(self, *, how: str) -> str:
        return str(Sale.objects.count())


@pytest.mark.topologies("local", "loopback")
def test_a_call_is_judged_by_the_called_module() -> None:
    with (
        override(Stock, Reaching()),
        on_behalf("sales"),
        pytest.raises(CallFailed, match=r"stock\.misbehave reads sales_sale"),
    ):
        use(Stock).misbehave(how="")


def test_a_handler_is_judged_by_its_module(
    scenario: Any, stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "atomic", _reads_stock)
    scenario.run_until_idle()
    failures = scenario.failed_deliveries() or _failures()
    assert any("reads stock_item, a table of stock" in failure for failure in failures)


@contextmanager
def _reads_stock() -> Iterator[None]:
    Item.objects.count()
    yield


def _failures() -> list[str]:
    from monolift.registry.sql import fetch

    sql = "SELECT failure FROM monolift_delivery"
    return [failure for (failure,) in fetch(topology().alias("sales"), sql)]


def test_code_of_no_operation_is_not_judged() -> None:
    with on_behalf(None):
        assert Item.objects.count() + Sale.objects.count() == 0
        run("SELECT 1 FROM stock_item WHERE sku IN (SELECT sku FROM stock_hold)")


def test_a_deadline_inside_keeps_the_module() -> None:
    outer = Scope(None, None, None, "GET /", "request", context="sales")
    with (
        entered(Scope(None, outer, None, "GET /", "request")),
        pytest.raises(BoundaryCrossed, match="GET / reads stock_item"),
    ):
        Item.objects.count()


def test_an_atomic_of_a_root_scope_names_the_module() -> None:
    root = Scope(None, None, None, kind="root")
    alias = topology().alias("sales")
    with entered(root), atomic(module="sales"), pytest.raises(BoundaryCrossed, match="stock_item"):
        Item.objects.using(alias).count()


def _answer(app_names: list[str], view: Any) -> Any:
    def get_response(request: HttpRequest) -> Any:
        request.resolver_match = ResolverMatch(view, (), {}, app_names=app_names)
        middleware.process_view(request, view, (), {})
        return {"count": Item.objects.count()}

    middleware = RequestScopeMiddleware(get_response)
    return middleware(RequestFactory().get("/report"))


def _view(module: str) -> Any:
    def view(request: HttpRequest) -> None: ...

    view.__module__ = module
    return view


def test_a_view_is_judged_by_its_module() -> None:
    with pytest.raises(BoundaryCrossed, match="GET /report reads stock_item"):
        _answer([], _view("tests.library.world.sales.views"))
    assert _answer([], _view("tests.library.world.stock.views"))["count"] == 0
    assert _answer([], _view("config.views"))["count"] == 0


def test_the_admin_is_not_judged() -> None:
    assert _answer(["admin"], _view("tests.library.world.sales.admin"))["count"] == 0


def test_views_of_every_kind_are_recognised() -> None:
    from django.views.generic import View
    from ninja import NinjaAPI

    class Page(View):
        pass

    Page.__module__ = "tests.library.world.sales.views"
    assert module_of_view(Page.as_view()) == "sales"
    api = NinjaAPI(urls_namespace="guard")
    api.get("/x")(_view("tests.library.world.stock.api"))
    patterns: Any = [pattern for pattern in api.urls[0] if pattern.name == "view"]
    assert [module_of_view(pattern.callback) for pattern in patterns] == ["stock"]
    assert module_of_view(_view("django.contrib.admin.sites")) is None


def test_a_named_context_may_touch_anything() -> None:
    root = Scope(None, None, None, kind="root")
    with entered(root), named_context("repair"), atomic(module="sales"):
        Item.objects.using(topology().alias("stock")).count()
    # A module's operation inside it is still the module's.
    with named_context("repair"), on_behalf("sales"), pytest.raises(BoundaryCrossed):
        Item.objects.count()
    with pytest.raises(ValueError, match="needs a name"), named_context(""):
        pass


@pytest.mark.parametrize(
    ("argv", "context"),
    [
        (["manage.py", "shell"], "shell"),
        (["./manage.py", "migrate", "stock"], "migrations"),
        (["manage.py", "runserver"], ""),
        (["gunicorn", "shell"], ""),
        ([], ""),
    ],
)
def test_commands_that_are_named_contexts(argv: list[str], context: str) -> None:
    assert context_of_command(argv) == context


# Transactions -------------------------------------------------------------------------------------


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
