"""Customers for a running shop: orders at a steady rate, each over REST from basket to payment.

    python scripts/load.py --rate 5                     until Ctrl-C
    python scripts/load.py --rate 10 --seconds 60 --json

The rate is kept whatever the answers do (an open loop), and nothing is sent twice: what fails,
fails. Its exit code is 1 if anything did.
"""

import argparse
import http.client
import json
import queue
import random
import signal
import sys
import threading
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

ADDRESS = {
    "name": "A Customer",
    "street": "1 High Street",
    "city": "London",
    "postcode": "SW1Y 4JH",
    "country": "GB",
    "email": "customer@example.org",
}
CARD = {"number": "4242424242424242", "expiry": "12/40", "cvc": "123"}
THREADS = 32


class Failed(Exception):
    """A request that was not answered as it should be."""


class Load:
    """Counts of what was sent, shared by all threads."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.orders: list[str] = []
        self.failures: list[str] = []
        self.local = threading.local()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of an answer. Raises Failed for 5xx and for no answer."""
        link: http.client.HTTPConnection | None = getattr(self.local, "link", None)
        if link is None:
            link = self.local.link = http.client.HTTPConnection(self.host, self.port, timeout=30)
        text = None if body is None else json.dumps(body)
        began = time.monotonic()
        try:
            link.request(
                method, f"/api/v1{path}", text, {"Content-Type": "application/json", **headers}
            )
            answer = link.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.local.link = None
            link.close()
            self._count("requests", began)
            raise Failed(f"{method} {path}: {type(error).__name__}: {error}") from error
        self._count("requests", began)
        if answer.status >= 500:
            raise Failed(f"{method} {path}: {answer.status} {content[:300].decode()}")
        return answer.status, json.loads(content) if content else None

    def _count(self, name: str, began: float) -> None:
        with self.lock:
            self.counts[name] += 1
            self.seconds.append(time.monotonic() - began)

    def buy(self, sku: str) -> None:
        """One customer, from the empty basket to the paid order."""
        basket = f"/baskets/{uuid4()}"
        steps: list[tuple[str, str, Any]] = [
            ("POST", f"{basket}/lines", {"sku": sku, "quantity": 1, "currency": "EUR"}),
            ("PUT", f"{basket}/address", ADDRESS),
            ("PUT", f"{basket}/delivery", {"method": "standard"}),
            ("GET", basket, None),
            ("POST", "/payments/tokens", CARD),
        ]
        total = token = None
        # A connection of its own, as each customer has.
        self.local.link = None
        try:
            for method, path, body in steps:
                status, answer = self.send(method, path, body)
                if status >= 400:
                    raise Failed(f"{method} {path}: {status} {answer}")
                if method == "GET":
                    total = answer["total"]
                token = answer.get("token", token) if isinstance(answer, dict) else token
            body = {"expected_total": total, "card_token": token}
            key = {"Idempotency-Key": str(uuid4())}
            status, answer = self.send("POST", f"{basket}/order", body, **key)
            if status == 409:
                name = "sold out"
            elif status in (200, 201, 202):
                name = "orders"
                with self.lock:
                    self.orders.append(answer["id"])
            else:
                raise Failed(f"POST {basket}/order: {status} {answer}")
        except Failed as error:
            with self.lock:
                self.counts["failed"] += 1
                self.failures.append(str(error))
            sys.stderr.write(f"{error}\n")
        else:
            with self.lock:
                self.counts[name] += 1
        finally:
            if self.local.link is not None:
                self.local.link.close()

    def goods(self) -> list[str]:
        """What is for sale."""
        _, page = self.send("GET", "/catalog/products?limit=100")
        return [one["sku"] for product in page["products"] for one in product["variants"]]


def main() -> int:
    """Send orders, say each second how it goes, and sum up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="(default: %(default)s)")
    parser.add_argument("--rate", type=float, default=5.0, help="orders a second")
    parser.add_argument("--seconds", type=float, default=0.0, help="0: until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="print the sum as JSON")
    options = parser.parse_args()
    load = Load(options.url)
    try:
        goods = load.goods()
    except Failed as error:
        sys.stderr.write(f"load: {options.url} does not answer: {error}\n")
        return 1
    load.seconds.clear()
    load.counts.clear()
    waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threads = [
        threading.Thread(target=_work, args=(load, waiting), daemon=True) for _ in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    told = 0
    for one in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # a shell starts what is in its background deaf to it
        signal.signal(one, signal.default_int_handler)
    try:
        for number in range(sys.maxsize):
            due = began + number / options.rate
            if options.seconds and due - began >= options.seconds:
                break
            time.sleep(max(due - time.monotonic(), 0.0))
            waiting.put(random.choice(goods))  # noqa: S311 - any article will do
            if not options.json and time.monotonic() - began >= told + 1:
                told = int(time.monotonic() - began)
                _say(f"{told:>5} s  {_sum(load)}")
    except KeyboardInterrupt:
        pass
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join(60)
    if options.json:
        _say(json.dumps({**_figures(load), "order_ids": load.orders, "failures": load.failures}))
    else:
        _say(_sum(load))
    return 1 if load.counts["failed"] else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _work(load: Load, waiting: "queue.SimpleQueue[str | None]") -> None:
    while (sku := waiting.get()) is not None:
        load.buy(sku)


def _figures(load: Load) -> dict[str, Any]:
    with load.lock:
        times = sorted(load.seconds) or [0.0]
        return {
            "requests": load.counts["requests"],
            "orders": load.counts["orders"],
            "sold_out": load.counts["sold out"],
            "failed": load.counts["failed"],
            "p50": times[len(times) // 2],
            "p99": times[int(len(times) * 0.99)],
            "max": times[-1],
        }


def _sum(load: Load) -> str:
    figures = _figures(load)
    return (
        f"{figures['orders']} orders, {figures['requests']} requests, {figures['failed']} failed; "
        f"p50 {figures['p50'] * 1000:.0f} ms, p99 {figures['p99'] * 1000:.0f} ms, "
        f"slowest {figures['max'] * 1000:.0f} ms"
    )


if __name__ == "__main__":
    sys.exit(main())
