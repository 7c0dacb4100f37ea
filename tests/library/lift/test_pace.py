"""How fast a lift works in bulk: it leaves others what they need, uses what is idle, and ends."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monolift.lift.movers.postgresql import pace
from monolift.lift.movers.postgresql.pace import Pace

PIECE = 64 * 1024


class Machine:
    """A clock and processors: others use a part of them, and the work another one while it runs."""

    def __init__(self, *, others: float, full: float, needs: float) -> None:
        self.others = others
        self.full = full
        """Bytes a second of the work when nothing keeps it back."""
        self.needs = needs
        """Part of the processors that it needs for that."""
        self.now = 0.0
        self.idle = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.idle += seconds * (1 - self.others)

    def work(self, size: int) -> None:
        seconds = size / self.full
        self.now += seconds
        self.idle += seconds * max(0.0, 1 - self.others - self.needs)

    def processors(self) -> tuple[int, int]:
        return round(self.now * 200) + 1, round(self.idle * 200)

    def run(self, seconds: float, piece: int = PIECE) -> tuple[float, float]:
        """Work for a while; the rate, and the part that was idle, of its second half."""
        kept = Pace()
        done, began, idle = 0, 0.0, 0.0
        while self.now < seconds:
            if not began and self.now > seconds / 2:
                done, began, idle = 0, self.now, self.idle
            self.work(piece)
            kept.keep(piece)
            done += piece
        passed = self.now - began
        return done / passed, (self.idle - idle) / passed


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(others=0.4, full=60e6, needs=0.6)
    monkeypatch.setattr(pace, "time", made)
    monkeypatch.setattr(pace, "_processors", made.processors)
    return made


@settings(max_examples=30, deadline=None)
@given(others=st.floats(0.1, 0.6), full=st.floats(1e7, 4e8), needs=st.floats(0.5, 1.0))
def test_a_fifth_is_left_where_others_work(others: float, full: float, needs: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        machine = Machine(others=others, full=full, needs=needs)
        patch.setattr(pace, "time", machine)
        patch.setattr(pace, "_processors", machine.processors)
        rate, idle = machine.run(30)
    if 1 - others - needs > 0.25:
        assert rate > 0.85 * full
    elif rate > max(0.25 * full, 9e6):
        assert 0.12 < idle < 0.35
    else:  # it is as slow as it gets
        assert rate > 0.9 * min(full, 8e6)


def test_large_pieces_are_paced_too(machine: Machine) -> None:
    machine.others, machine.full = 0.55, 100e6
    _, idle = machine.run(60, piece=60_000_000)
    assert 0.12 < idle < 0.35


def test_an_idle_machine_is_used_within_a_second(machine: Machine) -> None:
    machine.others, machine.needs = 0.0, 0.5
    kept = Pace()
    for _ in itertools.takewhile(lambda _: machine.now < 1.0, itertools.count()):
        machine.work(PIECE)
        kept.keep(PIECE)
    began, done = machine.now, 0
    while machine.now < began + 1.0:
        machine.work(PIECE)
        kept.keep(PIECE)
        done += PIECE
    assert done > 0.95 * machine.full


def test_where_nothing_is_ever_idle_it_still_ends(machine: Machine) -> None:
    machine.others = 1.0
    rate, _ = machine.run(60)
    assert 7e6 < rate < machine.full / 2


def test_where_the_kernel_says_nothing_it_never_rests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def sleep(_: float) -> None:
        raise AssertionError("it rests")

    monkeypatch.setattr(pace, "_STAT", tmp_path / "missing")
    monkeypatch.setattr(pace.time, "sleep", sleep)
    kept = Pace()
    for _ in range(1000):
        kept.keep(10**9)


@pytest.mark.parametrize("said", ["", "cpu", "cpu a b c d e f g h"])
def test_what_cannot_be_read_is_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str
) -> None:
    told = tmp_path / "stat"
    told.write_text(said)
    monkeypatch.setattr(pace, "_STAT", told)
    assert pace._processors() == (0, 0)


def test_the_kernels_own_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = tmp_path / "stat"
    told.write_text("cpu  100 1 20 700 30 2 3 4 50 0\ncpu0 1 2 3\n")
    monkeypatch.setattr(pace, "_STAT", told)
    assert pace._processors() == (860, 730)
