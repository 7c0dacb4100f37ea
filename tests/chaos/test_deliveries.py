"""Events under kill -9, pauses and a database that crashes: none lost, none twice, none too early.

Case A3 (double delivery), A5 (workers that die), A6 (order of a key), A1 (late commits).
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from monolift.supervise.preflight import Refused
from monolift.supervise.programs import program
from tests.chaos.system import System, system
from tests.library.running import eventually

EVENTS = int(os.environ.get("MONOLIFT_CHAOS_EVENTS", "1200"))
PAUSE = 2.0 if EVENTS > 10_000 else 0.7
"""Seconds between two blows."""
NAMES = [f"article-{number}" for number in range(40)]
WRITERS, THREADS = 2, 4


def _missing() -> str:
    try:
        program("initdb")
    except Refused as error:
        return str(error)
    return ""


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql",
            marks=pytest.mark.skipif(bool(_missing()), reason=_missing() or "installed"),
        ),
    ]
)
def chaos(request: pytest.FixtureRequest) -> Iterator[System]:
    """A system of its own for the test."""
    with system(postgresql=request.param == "postgresql") as made:
        yield made


def test_no_event_is_lost_doubled_or_overtaken(chaos: System) -> None:
    seed = int(os.environ.get("MONOLIFT_CHAOS_SEED", "7"))
    chance = random.Random(seed)
    chaos.manage(
        "shell",
        "-c",
        "from tests.library.world.stock.models import Item\n"
        f"Item.objects.bulk_create(Item(sku=sku, left=0) for sku in {NAMES!r})",
    )
    for number in range(2):
        chaos.start(f"worker-{number}", "manage.py", "monolift", "worker", "--threads", "2")
    for number in range(WRITERS):
        chaos.start(
            f"writer-{number}", "-m", "tests.chaos.writer", ",".join(NAMES),
            str(EVENTS // WRITERS), str(THREADS), str(seed + number),
        )  # fmt: skip
    while chaos.running("writer"):
        time.sleep(PAUSE)
        chaos.disturb(chance)
    last_blow = time.monotonic()
    levels = dict(chaos.ask('SELECT sku, "left" FROM stock_item'))
    eventually(
        lambda: chaos.ask("SELECT COUNT(*) FROM sales_mail")[0][0] >= sum(levels.values()),
        seconds=max(120, EVENTS / 100),
        what=f"{sum(levels.values())} events are handled",
    )
    drained = time.monotonic() - last_blow
    handled: dict[str, list[int]] = {sku: [] for sku in NAMES}
    for (key,) in chaos.ask("SELECT key FROM sales_mail WHERE about = 'filled' ORDER BY id"):
        sku, _, quantity = key.partition(":")
        handled[sku].append(int(quantity))
    assert sum(levels.values()) >= EVENTS // (WRITERS * THREADS) * WRITERS * THREADS
    for sku, quantities in handled.items():
        assert sorted(quantities) == list(range(1, levels[sku] + 1)), f"{sku}: lost or doubled"
        assert all(one < other for one, other in pairwise(quantities)), f"{sku}: overtaken"
    # The shop has tasks of the night.
    left = "SELECT 1 FROM monolift_delivery WHERE state <> 'done' AND module <> 'orders'"
    assert chaos.ask(left) == []
    assert len(chaos.done) > 1, "nothing was done to it"
    sys.stdout.write(
        f"{sum(levels.values())} events, {len(chaos.done)} blows, drained in {drained:.1f} s\n"
    )
