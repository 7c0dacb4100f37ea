"""Ten thousand calls to another process, a third of their answers lost: no effect twice.

`MONOLIFT_CHAOS_CALLS` sets how many.
"""

import os
import random
from concurrent.futures import ThreadPoolExecutor

from monolift.kernel import Unavailable
from tests.library.calls.conftest import *  # noqa: F403 - its fixtures
from tests.library.calls.wire import Wire
from tests.library.world.stock.interface import SoldOut, Stock

CALLS = int(os.environ.get("MONOLIFT_CHAOS_CALLS", "400"))
THREADS = 3


def test_no_effect_happens_twice(stock: Stock, wire: Wire, sku: str) -> None:
    """Case D27. Each hold that was answered is there once; one in doubt is there once, or not."""
    stock.fill(sku=sku, quantity=CALLS)
    wire.mode, wire.every = "lose answers", 3

    def one(number: int) -> str:
        dice = random.Random(number)
        try:
            if dice.random() < 0.3:
                stock.levels(skus=[sku])
                return "read"
            if dice.random() < 0.1:
                stock.hold(sku=sku, quantity=10**9)
                return "impossible"
            stock.hold(sku=sku, quantity=1)
        except SoldOut:
            return "refused"
        except Unavailable:
            return "in doubt"
        return "held"

    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = list(threads.map(one, range(CALLS)))
    wire.mode = "ok"
    while True:
        try:
            level = stock.levels(skus=[sku])[sku]
            break
        except Unavailable:
            continue  # the breaker lets the next one through within a second
    held, doubt = outcomes.count("held"), outcomes.count("in doubt")
    assert wire.broken > CALLS / 8
    assert held > CALLS / 8
    assert held <= level.held <= held + doubt
    assert level.left + level.held == CALLS + 10
