"""An open load: requests begin when they are due, however long others take.

A closed one, whose clients wait for an answer before they ask again, slows down with the server and
so hides what overload does (Schroeder, Wierman, Harchol-Balter, "Open Versus Closed", NSDI 2006).
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

type Ask = Callable[[int], str]
"""Sends the request of a number and says what became of it, in a word."""


class Seen(NamedTuple):
    """What became of one request."""

    what: str
    seconds: float
    """From when it was due to when it was answered."""


def offered(make: Callable[[], Ask], *, rate: float, seconds: float, clients: int) -> list[Seen]:
    """Offer `rate` requests a second, and wait until all have ended.

    `make` is called by each of the `clients`, for a connection of its own. They are more than may
    be under way at once, or they are what slows the load down.
    """
    due: queue.SimpleQueue[tuple[int, float] | None] = queue.SimpleQueue()
    seen: list[Seen] = []

    def serve() -> None:
        ask = make()
        while (one := due.get()) is not None:
            number, moment = one
            what = ask(number)
            seen.append(Seen(what, time.monotonic() - moment))

    threads = [threading.Thread(target=serve) for _ in range(clients)]
    for thread in threads:
        thread.start()
    start = time.monotonic()
    for number in range(int(seconds * rate)):
        moment = start + number / rate
        time.sleep(max(0.0, moment - time.monotonic()))
        due.put((number, moment))
    for _ in threads:
        due.put(None)
    for thread in threads:
        thread.join()
    return seen


def asked(make: Callable[[], Ask], *, seconds: float, clients: int) -> list[Seen]:
    """So many clients, each of which asks again as soon as it has its answer."""
    seen: list[Seen] = []
    end = time.monotonic() + seconds

    def serve() -> None:
        ask = make()
        number = 0
        while (began := time.monotonic()) < end:
            what = ask(number)
            seen.append(Seen(what, time.monotonic() - began))
            number += 1

    threads = [threading.Thread(target=serve) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def quantile(share: float, times: Sequence[float]) -> float:
    """Milliseconds."""
    return sorted(times)[int(share * (len(times) - 1))] * 1000
