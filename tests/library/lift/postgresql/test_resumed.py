"""`resume` ends what a killed command has left, by itself."""

from pathlib import Path

import pytest
from pytest_django import Settings

from monolift import use
from monolift.lift.plan import engine, state
from monolift.lift.plan.stage import Lift, Wishes
from monolift.registry import topology as registry
from tests.library.lift.postgresql.load import seed
from tests.library.lift.postgresql.places import Places
from tests.library.lift.postgresql.test_killed import equal, killed
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
