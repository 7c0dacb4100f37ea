"""There and back: seal, copy, cut over, verify, back."""

import os
import statistics
import time

import psycopg
import pytest

from monolift import use
from monolift.lift.movers.postgresql import feed
from monolift.lift.movers.postgresql.feed import Feed
from monolift.lift.movers.postgresql.target import drift
from monolift.lift.moving import Blocked
from tests.library.lift.postgresql.load import Load, seed
from tests.library.lift.postgresql.places import Places, to
from tests.library.world.stock.interface import Stock


def test_there_and_back(world: Places) -> None:
    stock = use(Stock)
    stock.fill(sku="a")
    world.sealed()
    stock.fill(sku="b")
    mover = world.mover()
    mover.copy(lambda _: None)
    assert mover.rehearse()["held"] < 2
    mover.cut_over(to("stock_away"))
    assert mover.verify()["differences"] == []
    stock.fill(sku="b")
    assert stock.levels(skus=["b"])["b"].left == 20
    assert world.ask("SELECT \"left\" FROM stock_item WHERE sku = 'b'", "stock_away") == [(20,)]
    back = world.mover("stock_away", "stock")
    back.cut_over(to("stock"))
    assert back.verify()["differences"] == []
    stock.fill(sku="b")
    assert world.ask("SELECT \"left\" FROM stock_item WHERE sku = 'b'") == [(30,)]


def test_a_copy_has_what_the_source_has_with_its_indexes(world: Places) -> None:
    use(Stock).fill(sku="a")
    world.sealed()
    world.mover().copy(lambda _: None)
    assert world.ask('SELECT sku, "left" FROM stock_item', "stock_away") == [("a", 10)]
    with world.session() as here, world.session("stock_away") as there:
        assert drift(here, there, "stock") == []
    indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = 'stock_item'"
    assert world.ask(indexes, "stock_away") == world.ask(indexes) == [(2,)]


def test_a_copy_that_fails_leaves_nothing(world: Places) -> None:
    use(Stock).fill(sku="a")
    world.sealed()

    def cut_off(step: str) -> None:
        if step == "copy: rows":
            raise psycopg.OperationalError("the connection was lost")

    with pytest.raises(Blocked, match=r"none are there: the connection was lost\. Put"):
        world.mover(reach=cut_off).copy(lambda _: None)
    assert world.ask("SELECT count(*) FROM stock_item", "stock_away") == [(0,)]
    assert world.ask("SELECT slot_name FROM pg_replication_slots") == []
    world.mover().copy(lambda _: None)
    assert world.ask("SELECT count(*) FROM stock_item", "stock_away") == [(1,)]


def test_nothing_is_lost_doubled_or_refused_while_it_moves(apart: Places) -> None:
    moves = int(os.environ.get("MONOLIFT_LIFT_MOVES", "3"))
    seed(apart)
    blocked = []
    with Load() as load:
        apart.sealed()
        mover = apart.mover()
        mover.copy(lambda _: None)
        for number in range(moves):
            ends = ("stock", "stock_away") if number % 2 == 0 else ("stock_away", "stock")
            mover = apart.mover(*ends)
            done = mover.cut_over(to(ends[1]))
            assert mover.verify()["differences"] == []
            blocked.append(done["held"])

            assert done["held"] < mover.move.budget
            time.sleep(0.3)
    owner = ends[1]
    load.settle(apart, owner=owner)
    load.audit(apart, owner=owner)
    print(  # noqa: T201 - the figures
        f"{moves} moves, {load.requests} requests, {len(load.failed)} failed, slowest "
        f"{load.slowest * 1000:.0f} ms; writers blocked p50 "
        f"{statistics.median(blocked) * 1000:.0f} ms, max {max(blocked) * 1000:.0f} ms"
    )


def test_a_feed_that_does_not_advance_is_not_waited_for(
    world: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Stock).fill(sku="a")
    world.sealed()
    mover = world.mover()
    mover.copy(lambda _: None)
    told: list[int] = []
    fed = Feed(mover.source, mover.target)
    monkeypatch.setattr(feed, "_ALIVE_WITHIN", 0.3)
    with mover.target.connected() as session:
        fed.disable(session)
    fed.catch_up(told.append)
    assert told
    monkeypatch.setattr(feed, "_ALIVE_WITHIN", 60.0)
    use(Stock).fill(sku="b")
    fed.subscribe()
    fed.catch_up(told.append)
    assert world.ask("SELECT sku FROM stock_item ORDER BY sku", "stock_away") == [("a",), ("b",)]
