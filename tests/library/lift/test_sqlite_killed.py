"""A move between two SQLite files that is killed, or fails, in its middle."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from monolift import use
from monolift.lift.movers.sqlite.feed import Feed
from monolift.lift.movers.sqlite.files import opened
from monolift.lift.movers.sqlite.mover import SqliteMover
from monolift.lift.moving import Move
from monolift.lift.plan import engine, state
from monolift.lift.plan.stage import Lift
from monolift.lift.plan.watchdog import watch
from monolift.registry import topology as registry
from monolift.registry.places import here
from monolift.registry.topology import topology
from monolift.truth import row
from monolift.truth.document import Stay
from tests.killing import STEP, killed_at, needs_strace
from tests.library.lift.ways import WRITERS, execute, home, left, out, quiet, taken_back
from tests.library.running import eventually
from tests.library.world.stock.interface import Level, Stock

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

POINTS = 2000
"""More than a move has; the sweep ends at the first point that is not reached."""


def test_a_cut_over_whose_other_half_fails_is_taken_back_and_done_again(lift: Lift) -> None:
    """What the new place would have taken from a worker at once, that worker has still."""
    use(Stock).fill(sku="a", quantity=5)
    WRITERS["a delivery"]()
    execute("UPDATE monolift_delivery SET lease_until = '2999-01-01' WHERE module = 'stock'")
    mover = SqliteMover(Move(module="stock", source="default", target="stock", budget=5.0))
    mover.copy(lambda progress: None)
    taken_back(mover)
    assert topology().alias("stock") == "default"
    use(Stock).hold(sku="a", quantity=1)
    there = Stay(deployable=here(), database="stock")
    mover.cut_over(lambda: row.change({"stock": there}))
    assert mover.verify()["differences"] == []
    registry.reset()
    assert topology().alias("stock") == "stock"
    assert left() == 4


@pytest.mark.parametrize("way", ["out", "home"])
def test_what_noted_changes_is_ended_where_a_kill_came_before_it(
    lift: Lift, file: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Else every change would be noted, for nobody, until the next move."""
    use(Stock).fill(sku="a", quantity=5)
    if way == "home":
        out(lift)
    end, calls = Feed.end, list[int]()

    def killed(self: Feed, run: Any) -> None:
        calls.append(1)
        if len(calls) == 2:  # the first goes before the copy
            raise KeyboardInterrupt
        end(self, run)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Feed, "end", killed)
        (out if way == "out" else home)(lift)
    registry.reset()
    engine.resume(lift, report=quiet)
    for one in (str(file), str(connections["default"].settings_dict["NAME"])):
        with opened(one) as link:
            assert not link.execute(
                "SELECT name FROM sqlite_master WHERE name LIKE 'monolift_feed_%'"
            ).fetchall()
    assert left() == 5


@needs_strace
@pytest.mark.parametrize("way", ["out", "home"])
def test_killed_at_a_write_it_ends_in_the_old_or_the_new_state(lift: Lift, way: str) -> None:
    """R16, R17: at each point of the way; what was acknowledged is there, once.

    Homewards there is an instant in which nobody owns the module: then the call waits until the
    watchdog has gone on.
    """
    use(Stock).fill(sku="a", quantity=10_000)
    held = 0
    for at in range(1, POINTS, STEP):
        if way == "home":
            out_if_not(lift)
        killed = killed_at("pwrite64", at, lambda: (out if way == "out" else home)(lift))
        registry.reset()
        with _watched():
            use(Stock).hold(sku="a", quantity=1)
            held += 1
            if not killed:
                break
            eventually(lambda: not state.interrupted(), what="the watchdog has gone on")
        out_if_not(lift)
        if way == "out":
            home(lift)
        assert use(Stock).levels(skus=["a"]) == {"a": Level(left=10_000 - held, held=held)}
    else:
        raise AssertionError("the sweep did not come to the end of the move")
    assert held > 3


@contextmanager
def _watched() -> Iterator[None]:
    """With the watchdog of a worker, and the lease of whoever was killed at its end."""
    execute("UPDATE monolift_lift SET lease_until = '2000-01-01' WHERE lease_until IS NOT NULL")
    stopping = threading.Event()
    watchdog = threading.Thread(target=watch, args=(stopping,))
    watchdog.start()
    try:
        yield
    finally:
        stopping.set()
        watchdog.join()


def out_if_not(lift: Lift) -> None:
    if topology().alias("stock") != "stock":
        out(lift)
