"""The shop in processes of its own: `monolift run`, and customers."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import goods
from benchmarks.servers import ROOT
from monolift.supervise.preflight import any_free_port

_SLOW = 240.0
API = "/api/v1"
CARD = {"number": "4242424242424242", "expiry": "12/40", "cvc": "123"}


@contextlib.contextmanager
def running(
    folder: str, *arguments: str, **environment: str
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """`monolift run` with the sample; gives its process and its port."""
    port = any_free_port()
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    kept["ALLOWED_HOSTS"] = "127.0.0.1,localhost"  # by which it asks itself whether it is up
    with (Path(folder) / "out").open("wb") as out:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "monolift.management", "run", "--port", str(port),
                "--data", f"{folder}/var", *arguments,
            ],
            cwd=ROOT,
            env=kept | environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )  # fmt: skip
        try:
            _wait(process, Path(folder) / "out")
            yield process, port
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(90)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: "subprocess.Popen[bytes]", out: Path) -> None:
    deadline = time.monotonic() + _SLOW
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"monolift run ended at once:\n{out.read_text()[-2000:]}")
        if "Ctrl-C" in out.read_text():
            return
        time.sleep(0.1)
    raise RuntimeError(f"monolift run does not serve after {_SLOW:.0f} s.")


class Refused(Exception):
    """An answer of 400 or more."""


class Customer:
    """One connection to the shop."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer, None for a page. Raises Refused."""
        content = None if body is None else json.dumps(body)
        self._connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise Refused(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text) if text.startswith((b"{", b"[")) else None

    def for_sale(self) -> list[dict[str, Any]]:
        """The products of the first page."""
        found: list[dict[str, Any]] = self.ask("GET", f"{API}/catalog/products")["products"]
        return found

    def in_stock(self, products: list[dict[str, Any]]) -> list[str]:
        """Their SKUs, each as often as there are."""
        skus = [product["variants"][0]["sku"] for product in products]
        query = urlencode({"sku": skus}, doseq=True)
        available = self.ask("GET", f"{API}/inventory/availability?{query}")
        return [sku for sku, count in available.items() for _ in range(count)]

    def buy(self, sku: str) -> Iterator[None]:
        """From the empty basket to the paid order; pauses after each request."""
        basket = self.ask("POST", f"{API}/baskets")["id"]
        yield
        path = f"{API}/baskets/{basket}"
        self.ask("POST", f"{path}/lines", {"sku": sku, "quantity": 1})
        yield
        self.ask("PUT", f"{path}/address", goods.ADDRESS_BODY)
        yield
        self.ask("PUT", f"{path}/delivery", {"method": "standard"})
        yield
        total = self.ask("GET", path)["total"]
        yield
        token = self.ask("POST", f"{API}/payments/tokens", CARD)["token"]
        yield
        order = self.ask("POST", f"{path}/order", {"expected_total": total, "card_token": token})
        yield
        self.ask("GET", f"{API}/orders/{order['id']}")
        yield

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def descendants(pid: int) -> set[int]:
    """Every process that a process has started, and those they have started."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                after_name = (entry / "stat").read_text().rpartition(")")[2]
                parents[int(entry.name)] = int(after_name.split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}
