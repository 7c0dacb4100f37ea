"""Visitors of a shop that runs: an open load of single requests, each sent when it is due.

Of every thirteen visitors twelve look at one thing, and one buys in nine requests. A buyer's next
request is due a moment after the one before it, however late that was answered: what the shop owes
is counted, as Schroeder, Wierman and Harchol-Balter ("Open Versus Closed", NSDI 2006) ask for.
Nothing is sent twice.
"""

import http.client
import json
import queue
import random
import sys
import threading
import time
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, Self
from uuid import uuid4

from benchmarks import goods
from benchmarks.shop import API, CARD

LOOKS = 12
"""Visitors who only look, for each one who buys."""
STEPS = 9
"""Requests of a buyer."""
PAUSE = 0.25
"""Seconds between the requests of a buyer."""
_SHOWN = 50
"""Failures and misses that are told on the way: who sees these has seen them all."""
_VISITORS = 96
"""At once; more than the shop answers at once, or they are what slows the load down."""

type Request = tuple[str, str, Any]
type Visit = Generator[Request, Any, None]


class Sent(NamedTuple):
    """What became of one request."""

    due: float
    """By the monotonic clock."""
    seconds: float
    """From when it was due to when it was answered."""
    problem: str
    """Empty for what was answered as it should be."""


class Assortment(NamedTuple):
    """What there is to look at and to buy."""

    slugs: Sequence[str]
    skus: Sequence[str]
    past: Sequence[str]
    """Ids of orders that were placed before."""


class _Failed(Exception):
    """An answer of 400 or more, or none."""


class Visits:
    """So many requests a second, from entering the block to leaving it."""

    def __init__(self, port: int, assortment: Assortment, *, rate: float) -> None:
        self._port = port
        self._there = assortment
        self._every = (LOOKS + STEPS) / (LOOKS + 1) / rate
        self._due: queue.SimpleQueue[tuple[float, Visit] | None] = queue.SimpleQueue()
        self._end = threading.Event()
        self.sent: list[Sent] = []
        self.orders: dict[str, tuple[str, int]] = {}
        """The SKU and the total of each order that was acknowledged."""
        self.misses: list[str] = []
        """What a read did not show although a write before it had been acknowledged."""
        self._threads = [threading.Thread(target=self._serve) for _ in range(_VISITORS)]
        self._threads.append(threading.Thread(target=self._come))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """No more come; those who are there finish."""
        self._end.set()
        for thread in self._threads:
            thread.join()

    @property
    def failures(self) -> list[str]:
        """What was not answered as it should be."""
        return [one.problem for one in list(self.sent) if one.problem]

    def _come(self) -> None:
        chance = random.Random(1)
        start = time.monotonic()
        number = 0
        while not self._end.wait(max(0.0, start + number * self._every - time.monotonic())):
            visit = self._look(chance, number) if number % (LOOKS + 1) else self._buy(chance)
            self._due.put((start + number * self._every, visit))
            number += 1
        for _ in range(_VISITORS):
            self._due.put(None)

    def _look(self, chance: random.Random, number: int) -> Visit:
        slug = chance.choice(self._there.slugs)
        kinds = (
            f"/products/{slug}",
            f"{API}/catalog/products/{slug}",
            f"{API}/inventory/availability?{'&'.join(f'sku={one}' for one in self._any(chance))}",
            f"{API}/orders/{chance.choice(self._there.past)}",
        )
        yield "GET", kinds[number % len(kinds)], None

    def _any(self, chance: random.Random) -> list[str]:
        return chance.sample(self._there.skus, 3)

    def _buy(self, chance: random.Random) -> Visit:
        sku = chance.choice(self._there.skus)
        stock = f"{API}/inventory/availability?sku={sku}"
        basket = f"{API}/baskets/{uuid4()}"
        before = (yield "GET", stock, None)[sku]
        yield "POST", f"{basket}/lines", {"sku": sku, "quantity": 1, "currency": "EUR"}
        yield "PUT", f"{basket}/address", goods.ADDRESS_BODY
        yield "PUT", f"{basket}/delivery", {"method": "standard"}
        found = yield "GET", basket, None
        self._see([one["sku"] for one in found["lines"]] == [sku], "the line of a basket")
        self._see(bool(found["address"]), "the address of a basket")
        self._see(found["delivery"] == "standard", "the delivery of a basket")
        token = (yield "POST", f"{API}/payments/tokens", CARD)["token"]
        total = found["total"]
        order = yield "POST", f"{basket}/order", {"expected_total": total, "card_token": token}
        self.orders[order["id"]] = (sku, total["amount"])
        found = yield "GET", f"{API}/orders/{order['id']}", None
        lines = [one["sku"] for one in found["lines"]]
        if found["state"] != "processing" or lines:  # it is priced, and so has lines, in a moment
            self._see(lines == [sku], "the line of an order")
        after = (yield "GET", stock, None)[sku]  # nobody puts anything back meanwhile
        self._see(after < before, f"that one of {sku} is sold: {before} before, {after} after")

    def _see(self, seen: bool, what: str) -> None:
        if not seen:
            self.misses.append(what)
            _tell(f"not seen: {what}", len(self.misses))

    def _serve(self) -> None:
        while (one := self._due.get()) is not None:
            due, visit = one
            link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            try:
                request = next(visit)
                while True:
                    time.sleep(max(0.0, due - time.monotonic()))
                    request = visit.send(self._ask(link, due, *request))
                    due += PAUSE
            except (StopIteration, _Failed):
                pass
            finally:
                link.close()

    def _ask(
        self, link: http.client.HTTPConnection, due: float, method: str, path: str, body: Any
    ) -> Any:
        problem = ""
        text = b""
        content = None if body is None else json.dumps(body)
        try:
            link.request(method, path, content, {"Content-Type": "application/json"})
            answer = link.getresponse()
            text = answer.read()
            if answer.status >= 400:
                problem = f"{method} {path}: {answer.status} {text[:300]!r}"
        except (OSError, http.client.HTTPException) as error:
            problem = f"{method} {path}: {error!r}"
        self.sent.append(Sent(due, time.monotonic() - due, problem))
        if problem:
            _tell(problem, len(self.failures))
            raise _Failed
        return json.loads(text) if text.startswith((b"{", b"[")) else None


def _tell(line: str, number: int) -> None:
    if number <= _SHOWN:
        sys.stderr.write(f"{time.strftime('%X')} {line}\n")
