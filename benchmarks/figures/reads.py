"""API reads through the library beside the same reads as plain django-ninja."""

import http.client
import time
from collections.abc import Callable, Iterator

from benchmarks import applications, goods
from benchmarks.context import Context
from benchmarks.paired import Case, compare
from benchmarks.results import Result
from benchmarks.servers import connected, serving
from benchmarks.wsgi_client import Client

GOAL = 0.9
READS = {
    "a product with its prices": "/catalog/products/mug?currency=EUR",
    "the stock of three articles": "/inventory/availability?sku=MUG&sku=PEN&sku=TIN",
}


def run(context: Context) -> Iterator[Result]:
    """In this process, and over HTTP."""
    goods.shelve()
    shop, plain = clients()
    for name, path in READS.items():
        yield Result.ratio(
            compare(
                _repeated(shop.prepared("GET", path), 20),
                _repeated(plain.prepared("GET", path), 20),
                pairs=context.pairs(151),
            ).inverse(),
            figure="reads",
            what=f"requests per second of {name} / plain django-ninja, in process",
            database=context.database,
            goal=GOAL,
            sense="at least",
        )
    with (
        serving("benchmarks.served_shop:application") as shop_port,
        serving("benchmarks.served_plain:application") as plain_port,
    ):
        for name, path in READS.items():
            yield Result.ratio(
                compare(
                    _repeated(_request(connected(shop_port), f"/api/v1{path}"), 20),
                    _repeated(_request(connected(plain_port), f"/floor/v1/plain{path}"), 20),
                    pairs=context.pairs(151),
                ).inverse(),
                figure="reads",
                what=f"requests per second of {name} / plain django-ninja, over HTTP (granian)",
                database=context.database,
                goal=GOAL,
                sense="at least",
            )


def clients() -> tuple[Client, Client]:
    """The shop as it is deployed, and the plain application."""
    shop = Client(applications.shop(), prefix="/api/v1")
    return shop, Client(applications.plain(), prefix="/floor/v1/plain")


def _repeated(request: Callable[[], object], times: int) -> Case:
    def case() -> float:
        start = time.perf_counter()
        for _ in range(times):
            request()
        return (time.perf_counter() - start) / times

    return case


def _request(connection: http.client.HTTPConnection, path: str) -> Callable[[], bytes]:
    def ask() -> bytes:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {text[:300]!r}")
        return text

    return ask
