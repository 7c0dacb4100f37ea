"""Pages beside plain views that render the same templates from ready data, in a small and a large
shop; and the home page's composition beside its calls.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from benchmarks import applications
from benchmarks.context import Context
from benchmarks.floor.plain_pages import READY
from benchmarks.paired import Case, compare
from benchmarks.results import Result
from benchmarks.wsgi_client import Client
from config.seeding.filling import Filler
from config.seeding.goods import good
from modules.catalog.interface import Catalog
from modules.inventory.interface import Inventory
from modules.recommendations.interface import Recommendations
from modules.search.interface import Search
from modules.storefront.views import page as framed
from monolift import override, use
from monolift.registry.modules import implementation

GOAL = 0.6
COMPOSED = 1.2
SIZES = (200, 100_000)
SEED = 1

PAGES = {
    "home": "/",
    "category": "/categories/workshop",
    "product": "/products/{slug}",
    "search": "/search?q=oak",
}
_CALLED = (Catalog, Inventory, Recommendations, Search)

type Call = tuple[Any, str, dict[str, Any]]
"""An interface, an operation of it, the arguments."""


def run(context: Context) -> Iterator[Result]:
    """With a few products, then, unless it is to be quick, with very many."""
    shop, plain = Client(applications.shop(), prefix=""), Client(applications.plain(), prefix="")
    there = 0
    for size in SIZES[:1] if context.short else SIZES:
        Filler(seed=SEED).add_products(there, size, advance=lambda _: None)
        there = size
        yield from _measured(shop, plain, size, context)


def _measured(shop: Client, plain: Client, size: int, context: Context) -> Iterator[Result]:
    what = f"with {size:,} products"
    for name, (ours, theirs) in requests(shop, plain).items():
        yield Result.ratio(
            compare(_repeated(ours, 5), _repeated(theirs, 5), pairs=context.pairs(101)).inverse(),
            figure="pages",
            what=f"requests per second of {name}, {what} / a plain view of ready data",
            database=context.database,
            goal=GOAL,
            sense="at least",
        )
        if name in PAGES:
            yield Result.ratio(
                compare(
                    _asking(_repeated(ours, 5)), _repeated(theirs, 5), pairs=context.pairs(101)
                ).inverse(),
                figure="pages",
                what=f"the same of {name}, {what}, when no answer is kept",
                database=context.database,
                goal=None,
                sense="at least",
            )
    composed, calls = composition(shop)
    yield Result.ratio(
        compare(_repeated(composed, 5), _repeated(calls, 5), pairs=context.pairs(101)),
        figure="pages",
        what=f"the home page's composition, {what} / the sum of its module calls",
        database=context.database,
        goal=COMPOSED,
    )


def requests(
    shop: Client, plain: Client
) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """The requests to compare, to the shop and to the plain application."""
    some = good(seed=SEED, number=100)
    paths = {name: path.format(slug=some.slug) for name, path in PAGES.items()}
    found: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {}
    for name, path in paths.items():
        READY[name] = _given(shop, path)
        found[name] = (
            shop.prepared("GET", path),
            plain.prepared("GET", f"/floor/pages/{name}"),
        )
    fields = {"sku": some.articles[0].sku, "quantity": "1"}
    found["add to basket"] = (
        shop.form(f"/products/{some.slug}/add", fields),
        plain.form(f"/floor/pages/add/{some.slug}", fields),
    )
    return found


def composition(shop: Client) -> tuple[Callable[[], object], Callable[[], object]]:
    """The home page but for its rendering and middleware, and the calls that it makes.

    Without the answers that it keeps for some seconds (`STOREFRONT["FRESH_FOR"]`).
    """
    from django.test import RequestFactory

    from modules.storefront.views import home

    made: list[Call] = []
    nothing_kept = _nothing_kept()
    with contextlib.ExitStack() as stack:
        stack.enter_context(nothing_kept)
        for interface in _CALLED:
            real = _Noting(interface, implementation(interface), made)
            stack.enter_context(override(interface, real))
        shop.ask("GET", "/")
    if not made:
        raise RuntimeError("The home page made no call: what it needs is not in _CALLED.")
    calls = [(use(interface), name, given) for interface, name, given in made]
    request = RequestFactory().get("/")

    def compose() -> None:
        with nothing_kept, mock.patch.object(framed, "render", _nothing):
            home.show(request)

    def call() -> None:
        for proxy, name, given in calls:
            getattr(proxy, name)(**given)

    return compose, call


class _Noting:
    """Answers an interface by its implementation, and notes what was asked."""

    def __init__(self, interface: Any, real: Any, made: list[Call]) -> None:
        self._interface = interface
        self._real = real
        self._made = made

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(**given: Any) -> Any:
            self._made.append((self._interface, name, given))
            return getattr(self._real, name)(**given)

        return ask


def _given(shop: Client, path: str) -> tuple[str, dict[str, Any]]:
    """Template and context of a page."""
    given: list[tuple[str, dict[str, Any]]] = []

    def note(request: Any, template: str, context: Any, **options: Any) -> HttpResponse:
        given.append((template, dict(context)))
        return render(request, template, context, **options)

    with mock.patch.object(framed, "render", note):
        shop.ask("GET", path)
    (one,) = given
    return one


def _nothing_kept() -> Any:
    return mock.patch.dict(settings.STOREFRONT, FRESH_FOR=0)


def _asking(case: Case) -> Case:
    """The same when the storefront keeps no answers: what a first visitor waits for."""

    def asked() -> float:
        with _nothing_kept():
            return case()

    return asked


def _nothing(*_: Any, **__: Any) -> HttpResponse:
    return HttpResponse()


def _repeated(request: Callable[[], object], times: int) -> Case:
    def case() -> float:
        start = time.perf_counter()
        for _ in range(times):
            request()
        return (time.perf_counter() - start) / times

    return case
