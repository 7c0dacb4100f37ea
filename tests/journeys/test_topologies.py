"""The shop cut into several deployables: the same journeys, real processes, databases of their own.

Steered from outside only: by REST, pages, and signals to processes.
"""

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys.client import ADDRESS_BODY
from tests.library.running import ROOT, Running, command_line, eventually, get, running
from tests.shop import GOOD, NO_FUNDS

SLOW = 180.0
"""Seconds that all processes of a topology may take to start, on two busy cores."""


class Shopper:
    """A customer of a shop that runs."""

    def __init__(self, run: Running) -> None:
        self._port = run.port
        self.basket = uuid4()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with contextlib.closing(link):
            text = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json", **headers}
            link.request(method, f"/api/v1{path}", text, headers)
            answer = link.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None

    def buy(self, sku: str, quantity: int = 1, *, card: str = GOOD) -> tuple[int, Any]:
        """From the empty basket to the order; what the first request answers that is refused."""
        line = {"sku": sku, "quantity": quantity, "currency": "EUR"}
        made = {"number": card, "expiry": "12/40", "cvc": "123"}
        for method, path, body in (
            ("POST", f"/baskets/{self.basket}/lines", line),
            ("PUT", f"/baskets/{self.basket}/address", ADDRESS_BODY),
            ("PUT", f"/baskets/{self.basket}/delivery", {"method": "express"}),
            ("GET", f"/baskets/{self.basket}", None),
            ("POST", "/payments/tokens", made),
        ):
            status, answer = self.send(method, path, body)
            if status >= 400:
                return status, answer
            if method == "GET":
                total = answer["total"]
        body = {"expected_total": total, "card_token": answer["token"]}
        return self.send("POST", f"/baskets/{self.basket}/order", body)


@pytest.fixture(scope="module", params=["split", "each"])
def shop(request: pytest.FixtureRequest) -> Iterator[Running]:
    """The shop in that topology, running."""
    with running("--topology", str(ROOT / f"config/topology.{request.param}.toml")) as run:
        eventually(
            lambda: run.process.poll() is not None or "Ctrl-C stops" in run.output,
            seconds=SLOW,
            what=request.param,
        )
        assert run.process.poll() is None, run.errors[-3000:]
        yield run
        assert run.stop(seconds=90) == 0
        assert run.left() == {}


def stocked(run: Running) -> str:
    """Something that is for sale."""
    _, page = Shopper(run).send("GET", "/catalog/products?limit=1")
    sku: str = page["products"][0]["variants"][0]["sku"]
    return sku


def rows(run: Running, deployable: str, sql: str) -> list[tuple[Any, ...]]:
    """What is in the database of a deployable."""
    (folder,) = run.data.glob(f"*/{deployable}")
    with contextlib.closing(sqlite3.connect(folder / "shop.sqlite3")) as link:
        return link.execute(sql).fetchall()


def host(run: Running, module: str) -> str:
    """The deployable of a module."""
    return (
        module if (next(iter(run.data.glob("*/shop"))).parent / module).is_dir() else _SPLIT[module]
    )


_SPLIT = {
    "inventory": "warehouse",
    "payments": "billing",
    "orders": "shop",
    "notifications": "shop",
}


def test_a_customer_buys(shop: Running) -> None:
    shopper = Shopper(shop)
    status, order = shopper.buy(stocked(shop), 2)
    assert (status, order["state"]) == (201, "paid"), order
    status, seen = shopper.send("GET", f"/orders/{order['id']}")
    assert (status, seen["state"]) == (200, "paid")
    # Each module's rows are where the module is, and nowhere else.
    orders = f"SELECT state FROM orders_order WHERE id = '{order['id'].replace('-', '')}'"
    assert rows(shop, host(shop, "orders"), orders) == [("paid",)]
    assert rows(shop, host(shop, "inventory"), "SELECT COUNT(*) FROM orders_order") == [(0,)]
    assert rows(shop, host(shop, "orders"), "SELECT COUNT(*) FROM inventory_stock") == [(0,)]
    # What is announced in one deployable reaches the mail of another.
    (folder,) = shop.data.glob(f"*/{host(shop, 'notifications')}")

    def mailed() -> bool:
        return any(
            order["number"] in letter.read_text() for letter in (folder / "mail").glob("*.log")
        )

    eventually(mailed, what="the mail of the order")


def test_a_declined_card_leaves_nothing_behind(shop: Running) -> None:
    held = "SELECT SUM(available) FROM inventory_stock"
    before = rows(shop, host(shop, "inventory"), held)
    status, problem = Shopper(shop).buy(stocked(shop), card=NO_FUNDS)
    assert status == 402, problem
    eventually(lambda: rows(shop, host(shop, "inventory"), held) == before, what="the hold's end")


def test_the_pages_are_there(shop: Running) -> None:
    for path in ("/", "/products", "/search?q=clock", "/basket", "/admin/login/"):
        assert get(f"{shop.url}{path}")[0] == 200, path


def test_a_killed_deployable_comes_back_and_loses_nothing(shop: Running) -> None:
    """While it is away, what needs it says so in time; afterwards all goes on."""
    sku = stocked(shop)
    name = host(shop, "inventory")
    victim = next(
        pid
        for pid in shop.look()
        if environment_of(pid).get("MONOLIFT_DEPLOYABLE") == name and " web" in command_line(pid)
    )
    os.kill(victim, signal.SIGKILL)
    began = time.monotonic()
    assert get(f"{shop.url}/")[0] == 200
    assert time.monotonic() - began < 10

    def bought() -> bool:
        status, order = Shopper(shop).buy(sku)
        return status == 201 and order["state"] == "paid"

    eventually(bought, seconds=60, what="an order after the restart")
    finished = (
        "SELECT COUNT(*) FROM monolift_saga WHERE status NOT IN ('done', 'undone', 'waiting')"
    )
    eventually(
        lambda: rows(shop, host(shop, "orders"), finished) == [(0,)],
        seconds=90,
        what="every saga to end, or wait for its parcel",
    )


def test_a_topology_that_does_not_exist_is_named() -> None:
    with running("--topology", "config/topology.bogus.toml") as run:
        assert run.process.wait(30) == 1
        assert "config/topology.bogus.toml does not exist. There: " in run.errors


def test_a_topology_that_names_an_unknown_module_is_refused_in_a_line(tmp_path: Path) -> None:
    file = tmp_path / "topology.toml"
    text = (ROOT / "config/topology.split.toml").read_text()
    file.write_text(text.replace("[modules.inventory]", "[modules.attic]"))
    with running("--topology", str(file)) as run:
        assert run.process.wait(60) == 1
        assert "[modules.attic] is not an installed module. Installed: catalog, " in run.errors
        assert "Traceback" not in run.errors


def environment_of(pid: int) -> dict[str, str]:
    """What a process was told."""
    with contextlib.suppress(OSError):
        pairs = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    return {}
