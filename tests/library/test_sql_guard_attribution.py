"""The SQL guard: on whose behalf a statement runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import ResolverMatch

from monolift import atomic, override, use
from monolift.boundaries.sql.attribution import context_of_command, named_context
from monolift.boundaries.sql.crossings import BoundaryCrossed
from monolift.gateway.requests import RequestScopeMiddleware
from monolift.gateway.views import module_of_view
from monolift.kernel import CallFailed
from monolift.registry.scope import Scope, entered
from monolift.registry.topology import topology
from tests.library.on_behalf import on_behalf, run
from tests.library.world.sales import handlers
from tests.library.world.sales.models import Sale
from tests.library.world.stock.interface import Stock
from tests.library.world.stock.models import Item
from tests.library.world.stock.services import StockService

pytestmark = pytest.mark.django_db(databases="__all__")


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
