"""`resume` ends what a killed command has left, by itself."""

from pathlib import Path

import pytest
from pytest_django import Settings

from monolift import use
from monolift.lift.moving import Blocked
from monolift.lift.plan import engine, state
from monolift.lift.plan.stage import Lift, Wishes
from monolift.lift.plan.stages.cutover import CutOver
from monolift.registry import topology as registry
from tests.library.lift.postgresql.load import seed
from tests.library.lift.postgresql.places import Places, learn, to
from tests.library.lift.postgresql.test_killed import equal, killed, owner
from tests.library.lift.ways import quiet
from tests.library.world.stock.interface import Stock

TOPOLOGY = """
[deployables.shop]
[deployables.stock]
url = "http://127.0.0.1:9"
"""


@pytest.fixture(autouse=True)
def declared(world: Places, settings: Settings, tmp_path: Path) -> None:
    """Where stock would go."""
    file = tmp_path / "topology.toml"
    file.write_text(TOPOLOGY)
    settings.MONOLIFT = {**settings.MONOLIFT, "TOPOLOGY": file}
    registry.reset()


def standing(stage: str, doing: str = "") -> None:
    """A lift that has come that far, and that nobody works on."""
    with state.held(state.begin("stock", stage=stage)) as mine:
        if doing:
            mine.starts(doing)


def resumed() -> state.Standing:
    """What became of it."""
    lift = Lift(module="stock", evidence={}, wishes=Wishes(budget=2.0))
    return engine.resume(lift, report=quiet)


@pytest.mark.parametrize("step", ["copy: tables", "copy: slot", "copy: rows", "copy: subscription"])
def test_a_copy_that_was_killed_is_made(world: Places, step: str) -> None:
    seed(world)
    world.sealed()
    standing("remote", doing="copy")
    killed(world, "copy", step)
    use(Stock).fill(sku="after", quantity=1)
    assert resumed().stage == "copy"
    equal(world)


def test_rows_that_the_migrations_of_a_killed_copy_have_written_are_in_nobodys_way(
    world: Places,
) -> None:
    use(Stock).fill(sku="a")
    world.sealed()
    standing("remote", doing="copy")
    killed(world, "copy", "copy: tables")
    world.do("INSERT INTO stock_item (sku, \"left\") VALUES ('by a migration', 1)", "stock_away")
    assert resumed().stage == "copy"
    assert world.ask("SELECT sku FROM stock_item", "stock_away") == [("a",)]
    equal(world)


@pytest.mark.parametrize("again", ["resume", "rehearse"])
def test_a_rehearsal_that_was_killed_lets_the_feed_go_on(world: Places, again: str) -> None:
    world.sealed()
    world.mover().copy(lambda _: None)
    standing("copy")
    killed(world, "rehearse", "F6")
    enabled = (
        "SELECT subenabled FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid "
        "WHERE datname = current_database()"
    )
    assert world.ask(enabled, "stock_away") == [(False,)]
    if again == "resume":
        assert resumed().stage == "copy"
        assert world.ask(enabled, "stock_away") == [(True,)]
    else:
        assert world.mover().rehearse()["held"] < 2
    equal(world)


def test_a_cut_over_that_was_killed_after_its_commit_is_compared(world: Places) -> None:
    use(Stock).fill(sku="a")
    world.sealed()
    world.mover().copy(lambda _: None)
    standing("copy", doing="cutover")
    killed(world, "cut", "stock", "stock_away", "G1")
    learn()
    done = resumed()
    assert owner() == "stock_away"
    assert done.evidence["cutover"]["compared"]["differences"] == []


def test_a_cut_over_that_was_killed_after_its_commit_goes_back_if_rows_differ(
    world: Places,
) -> None:
    use(Stock).fill(sku="a")
    world.sealed()
    world.mover().copy(lambda _: None)
    standing("copy", doing="cutover")
    world.do(
        'SET session_replication_role = replica; UPDATE stock_item SET "left" = 3', "stock_away"
    )
    killed(world, "cut", "stock", "stock_away", "G1")
    learn()
    with pytest.raises(Blocked, match=r"taken back, because rows differed: stock_item"):
        resumed()
    assert owner() == "stock"
    assert use(Stock).levels(skus=["a"])["a"].left == 10
    open_lift = state.current("stock")
    assert open_lift is not None
    assert open_lift.evidence["cutover differed"]["differences"] == [
        "stock_item: 1 rows at the source, 1 at the target, with other values"
    ]


def test_a_cut_over_home_that_was_killed_after_its_commit_is_compared(world: Places) -> None:
    use(Stock).fill(sku="a")
    world.sealed()
    world.mover().copy(lambda _: None)
    world.mover().cut_over(to("stock_away"))
    killed(world, "cut", "stock_away", "stock", "G1")
    learn()
    done = CutOver().undo(Lift(module="stock", evidence={"cutover": {}}))
    assert owner() == "stock"
    assert done["compared"]["differences"] == []
