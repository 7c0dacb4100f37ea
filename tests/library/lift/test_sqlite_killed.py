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
from monolift.lift.moving import Blocked, Move
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
from tests.library.world.stock.models import Item

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


def _killed_before_it_compares(lift: Lift, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_: SqliteMover) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(SqliteMover, "verify", killed)
        (out if way == "out" else home)(lift)
    registry.reset()
    assert topology().alias("stock") == ("stock" if way == "out" else "default")


@pytest.mark.parametrize("way", ["out", "home"])
def test_a_cut_over_that_was_killed_after_its_commit_is_compared_all_the_same(
    lift: Lift, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """But for what has changed since: it is used."""
    for sku in "abcd":
        use(Stock).fill(sku=sku, quantity=5)
    if way == "home":
        out(lift)
    _killed_before_it_compares(lift, way, monkeypatch)
    use(Stock).hold(sku="a", quantity=1)
    use(Stock).fill(sku="e", quantity=5)
    Item.objects.using(topology().alias("stock")).filter(sku="b").delete()
    engine.resume(lift, report=quiet)
    stage = "seal" if way == "out" else "-seal"
    compared = state.of_module("stock")[0].evidence[stage]["compared"]
    assert compared["differences"] == []
    assert compared["rows"] == 2  # of five that there were, with the new one
    assert "without 4 rows that changed since" in compared["note"]  # a's, b's, e's, and the hold
    assert left() == 4


@pytest.mark.parametrize("way", ["out", "home"])
def test_what_differs_after_a_kill_takes_it_back(
    lift: Lift, file: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    use(Stock).fill(sku="a", quantity=5)
    use(Stock).fill(sku="b", quantity=5)
    if way == "home":
        out(lift)
    _killed_before_it_compares(lift, way, monkeypatch)
    use(Stock).hold(sku="a", quantity=1)
    gone = str(connections["default"].settings_dict["NAME"]) if way == "out" else str(file)
    with opened(gone) as link:
        link.execute("UPDATE monolift_moved_stock_item SET left = 6 WHERE sku = 'b'")
    with pytest.raises(Blocked, match=r"rows differed: stock_item: rowid 2.*monolift_kept_"):
        engine.resume(lift, report=quiet)
    assert topology().alias("stock") == ("default" if way == "out" else "stock")
    assert (left("a"), left("b")) == (4, 5)


@pytest.mark.parametrize("way", ["out", "home"])
@pytest.mark.parametrize("step", ["copy", "cut_over"])
def test_what_differed_goes_back_also_where_a_kill_came_between(
    lift: Lift, monkeypatch: pytest.MonkeyPatch, way: str, step: str
) -> None:
    """What was found is known by then, and the tables that showed it have other names."""
    use(Stock).fill(sku="a", quantity=5)
    if way == "home":
        out(lift)
    carry, real = Feed.carry, getattr(SqliteMover, step)
    back = "stock" if way == "out" else "default"

    def forgetful(self: Feed, source: Any, target: Any) -> tuple[int, int]:
        done = carry(self, source, target)
        target.execute("UPDATE monolift_coming_stock_item SET left = 4")
        return done

    def killed(self: SqliteMover, *arguments: Any) -> Any:
        if self.move.source == back:
            raise KeyboardInterrupt
        return real(self, *arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Feed, "carry", forgetful)
        patch.setattr(SqliteMover, step, killed)
        (out if way == "out" else home)(lift)
    registry.reset()
    assert topology().alias("stock") == back
    with pytest.raises(Blocked, match=r"rows differed: stock_item: rowid 1.*monolift_kept_"):
        engine.resume(lift, report=quiet)
    assert topology().alias("stock") == ("default" if way == "out" else "stock")
    (out if way == "out" else home)(lift)
    assert topology().alias("stock") == back
    assert left() == 4


@pytest.mark.parametrize("end", [3, 4], ids=["of the source", "of the target, once compared"])
@pytest.mark.parametrize("way", ["out", "home"])
def test_what_noted_changes_is_ended_where_a_kill_came_before_it(
    lift: Lift, file: Path, monkeypatch: pytest.MonkeyPatch, way: str, end: int
) -> None:
    """Else every change would be noted, for nobody, until the next move."""
    use(Stock).fill(sku="a", quantity=5)
    if way == "home":
        out(lift)
    ending, calls = Feed.end, list[int]()

    def killed(self: Feed, run: Any) -> None:
        calls.append(1)
        if len(calls) == end:  # the first goes before the copy, the second before new notes
            raise KeyboardInterrupt
        ending(self, run)

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
