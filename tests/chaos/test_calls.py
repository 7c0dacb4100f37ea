"""Ten thousand calls to another process, a third of their answers lost: no effect twice.

`MONOLIFT_CHAOS_CALLS` sets how many.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import batched

from monolift.kernel import Unavailable
from tests.library.calls.conftest import *  # noqa: F403 - its fixtures
from tests.library.calls.wire import Wire
from tests.library.world.stock.interface import SoldOut, Stock

CALLS = int(os.environ.get("MONOLIFT_CHAOS_CALLS", "400"))
THREADS = 3


def test_no_effect_happens_twice(stock: Stock, wire: Wire, sku: str) -> None:
    """Case D27. What was answered is there once; what is in doubt is there once, or not at all."""
    names = [f"{sku}-{number}" for number in range(CALLS)]
    for name in names:
        stock.fill(sku=name)
    wire.mode, wire.every = "lose answers", 3

    def one(name: str) -> str:
        try:
            if name.endswith("7"):
                stock.levels(skus=[name])
                return "read"
            if name.endswith("9"):
                stock.hold(sku=name, quantity=11)
            stock.hold(sku=name, quantity=1)
        except SoldOut:
            return "refused"
        except Unavailable:
            return "in doubt"
        return "held"

    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = list(threads.map(one, names))
    wire.mode = "ok"
    time.sleep(1.5)  # until the breaker lets one through
    levels = dict(pair for part in batched(names, 500) for pair in stock.levels(skus=part).items())
    most = {"held": (1, 1), "in doubt": (0, 1), "refused": (0, 0), "read": (0, 0)}
    for name, outcome in zip(names, outcomes, strict=True):
        least, limit = most[outcome]
        assert least <= levels[name].held <= limit, (name, outcome, levels[name])
        assert levels[name].left + levels[name].held == 10
    assert wire.broken > CALLS / 8
    assert outcomes.count("held") > CALLS / 8
