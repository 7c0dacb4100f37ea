"""From `make run` to a paid order, with nothing but a shell and HTTP."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monolift.supervise.preflight import any_free_port
from tests.library.running import ROOT, Running, environment, eventually

ADDRESS = {
    "name": "Ada Lovelace",
    "street": "12 St James's Square",
    "city": "London",
    "postcode": "SW1Y 4JH",
    "country": "GB",
    "email": "ada@example.org",
}


class MakeRun(Running):
    """A run that `make` has started."""

    @property
    def command(self) -> tuple[str, ...]:
        """The command line."""
        return ("make", "--no-print-directory", "run", f"PORT={self.port}", f"DATA={self.data}")


@contextlib.contextmanager
def made(folder: Path, **env: str) -> Iterator[MakeRun]:
    """`make run` with its data below a folder."""
    folder.mkdir(exist_ok=True)
    run = MakeRun(folder, **env)
    try:
        run.wait_until_ready()
        yield run
    finally:
        run.clean_up()


def ask(run: Running, method: str, path: str, body: Any = None) -> Any:
    """What the API answers; any error of it fails the test."""
    connection = http.client.HTTPConnection("127.0.0.1", run.port, timeout=20)
    with contextlib.closing(connection):
        content = None if body is None else json.dumps(body)
        connection.request(method, f"/api/v1{path}", content, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        assert 200 <= answer.status < 300, (method, path, answer.status, text)
        return json.loads(text) if text else None


def mails(run: Running) -> str:
    """All mail that was written so far, its folded lines joined."""
    return "".join(file.read_text().replace("=\n", "") for file in (run.data / "mail").glob("*"))


def buy(run: Running) -> dict[str, Any]:
    """Buy the first product on show; the order."""
    listed = ask(run, "GET", "/catalog/products")["products"]
    product = ask(run, "GET", f"/catalog/products/{listed[0]['slug']}?currency=EUR")
    sku = product["variants"][0]["sku"]
    basket = ask(run, "POST", "/baskets")["id"]
    line = {"sku": sku, "quantity": 1, "currency": "EUR"}
    ask(run, "POST", f"/baskets/{basket}/lines", line)
    ask(run, "PUT", f"/baskets/{basket}/address", ADDRESS)
    ask(run, "PUT", f"/baskets/{basket}/delivery", {"method": "express"})
    total = ask(run, "GET", f"/baskets/{basket}")["total"]
    card = {"number": "4242424242424242", "expiry": "12/40", "cvc": "123"}
    token = ask(run, "POST", "/payments/tokens", card)["token"]
    pay = {"expected_total": total, "card_token": token}
    order: dict[str, Any] = ask(run, "POST", f"/baskets/{basket}/order", pay)
    return order


def test_a_newcomer_buys_something_and_finds_it_again(tmp_path: Path) -> None:
    with made(tmp_path / "shop") as run:
        assert "products" in run.output
        order = buy(run)
        eventually(lambda: ask(run, "GET", f"/orders/{order['id']}")["state"] == "paid")
        here = f"http://127.0.0.1:{run.port}/orders/{order['id']}"
        eventually(lambda: here in mails(run), what="a mail that leads to the order")
        # Ctrl-C reaches the whole foreground group: make and the supervisor alike.
        run.look()
        os.killpg(run.process.pid, signal.SIGINT)
        run.process.wait(30)
        eventually(lambda: not run.left(), seconds=5, what="every process ended")
        assert "Stopped." in run.output
        assert "Traceback" not in run.errors
    with made(tmp_path / "shop") as again:
        assert "up to date" in again.output
        assert "for sale" not in again.output
        assert ask(again, "GET", f"/orders/{order['id']}")["id"] == order["id"]
        assert again.stop(signal.SIGTERM) in (0, 2, -signal.SIGTERM)
        eventually(lambda: not again.left(), seconds=20, what="every process ended")


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    port = any_free_port()
    with socket.create_server(("127.0.0.1", port)):
        done = subprocess.run(
            ["make", "--no-print-directory", "run", f"PORT={port}", f"DATA={tmp_path / 'var'}"],
            cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode != 0
    first, *rest = done.stderr.splitlines()
    assert f"Port {port} of 127.0.0.1 is in use" in first
    assert f"make run PORT={port + 1}" in first
    assert all(line.startswith("make: ***") for line in rest)
