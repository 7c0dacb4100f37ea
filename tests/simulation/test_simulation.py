"""Many seeds: nothing lost, nothing twice, nothing too early; every rare branch seen.

`MONOLIFT_SIMULATION_SEEDS` sets how many, `MONOLIFT_SIMULATION_START` where to begin; a failure
names its seed, and the same seed fails the same way.
"""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from monolift.events import deliveries, handling, relay
from monolift.kernel import clock
from monolift.sagas import runtime
from tests.simulation.simulated import Ears, Simulation

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

SEEDS = int(os.environ.get("MONOLIFT_SIMULATION_SEEDS", "300"))
START = int(os.environ.get("MONOLIFT_SIMULATION_START", "0"))

SOMETIMES = {
    "asked again",
    "delivery was taken over",
    "delivery will be repeated",
    "fault: callee",
    "fault: handler",
    "fault: lost answer",
    "fault: step",
    "fault: undo",
    "given back",
    "killed in publish",
    "killed in run_saga",
    "killed in start_saga",
    "killed in work",
    "left by a crash",
    "rolled back",
    "saga done",
    "saga undone",
    "suspected of a crash",
    "tried again",
}
"""What a run that proves anything must have met."""


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """What happened in all runs."""
    counted: Counter[str] = Counter()
    for module in (deliveries, handling, runtime):
        monkeypatch.setattr(module, "log", Ears(counted))
    monkeypatch.setattr(handling, "TURN", handling.TURN)
    monkeypatch.setattr(handling, "SLOW", 60.0)
    monkeypatch.setattr(relay, "BATCH", 2)
    give_back = deliveries.give_back

    def counting(alias: str, batch: list[deliveries.Claimed]) -> None:
        counted["given back"] += len(batch)
        give_back(alias, batch)

    monkeypatch.setattr(deliveries, "give_back", counting)
    with clock.travelling():
        yield counted


def test_every_seed_keeps_the_promises(seen: Counter[str]) -> None:
    for seed in range(START, START + SEEDS):
        run = Simulation(seed, seen)
        try:
            run.run()
        except BaseException as error:
            error.add_note(f"seed {seed}:\n" + "\n".join(run.trace))
            raise
    if SEEDS >= 100:
        assert {name for name in SOMETIMES if not seen[name]} == set(), "these were never met"


def test_the_same_seed_is_the_same_run(seen: Counter[str]) -> None:
    traces = []
    for _ in range(2):
        run = Simulation(11, seen)
        run.run()
        traces.append(run.trace)
    assert traces[0] == traces[1]
