"""The tool is killed anywhere: one `recover` brings the old or the new state about, under load."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from monolift import use
from monolift.truth import row
from tests.library.lift.postgresql.load import Load, seed
from tests.library.lift.postgresql.places import Places, databases, learn, to
from tests.library.running import ROOT, environment
from tests.library.world.stock.interface import Stock

OUT = ("P0", "P1", "F1", "F2", "F3", "F4", "F5", "F6", "F7", "commit", "G1")
BACK = ("F1", "F5", "F7a", "F7b", "G1")
MOVED = {"G1"}


def tool(world: Places, *arguments: str, without: str = "", **more: Any) -> subprocess.Popen[str]:
    """A process of its own, with the databases of the test, or those but one."""
    known = {name: entry for name, entry in databases(world).items() if name != without}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.library.lift.postgresql.tool", *arguments],
        cwd=ROOT,
        env=environment(
            DJANGO_SETTINGS_MODULE="tests.library.lift.postgresql.settings",
            MONOLIFT_TEST_DATABASES=json.dumps(known),
            MONOLIFT_DATA=str(settings.MONOLIFT["DATA"]),
            LOG_LEVEL="ERROR",
        ),
        text=True,
        **more,
    )


def killed(world: Places, *arguments: str) -> None:
    """Run it until it is killed."""
    assert tool(world, *arguments).wait(120) == -signal.SIGKILL


def owner() -> str:
    """Where stock is, by the truth row."""
    return row.latest(connections["default"]).places["stock"].database


def equal(world: Places) -> None:
    """Both sides have the same rows, and one is open."""
    assert world.mover().verify()["differences"] == []
    fences = [world.ask("SELECT open FROM monolift_fence", alias)[0][0]
              for alias in ("stock", "stock_away")]  # fmt: skip
    assert fences == [owner() == "stock", owner() == "stock_away"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "target", "steps"),
    [("stock", "stock_away", OUT), ("stock_away", "stock", BACK)],
    ids=["out", "back"],
)
def test_killed_anywhere_in_a_cut_over(
    world: Places, source: str, target: str, steps: tuple[str, ...]
) -> None:
    seed(world)
    world.sealed()
    world.mover().copy(lambda _: None)
    if source == "stock_away":
        world.mover().cut_over(to("stock_away"))
    with Load(writers=2) as load:
        for step in steps:
            if owner() != source:
                world.mover(target, source).cut_over(to(source))
            killed(world, "cut", source, target, step)
            world.mover(source, target).recover()
            learn()
            assert owner() == (target if step in MOVED else source)
            use(Stock).fill(sku="after", quantity=1)
            load.more()
            equal(world)
    load.settle(world, owner=owner())
    load.audit(world, owner=owner())


@pytest.mark.parametrize("step", ["copy: tables", "copy: slot", "copy: rows", "copy: subscription"])
def test_killed_in_a_copy(world: Places, step: str) -> None:
    """And given up then: nothing is left of it, and it can be made."""
    seed(world)
    world.sealed()
    killed(world, "copy", step)
    world.mover().drop()
    assert world.ask("SELECT count(*) FROM stock_item", "stock_away") == [(0,)]
    assert world.ask("SELECT slot_name FROM pg_replication_slots") == []
    assert world.ask("SELECT count(*) FROM monolift_key WHERE module = 'stock'", "away") == [(0,)]
    use(Stock).fill(sku="after", quantity=1)
    assert world.mover().copy(lambda _: None)["rows"] > 0
    equal(world)


def test_a_frozen_process_wakes_after_the_move(world: Places, tmp_path: Path) -> None:
    """R13: it was told nothing, and is refused by the database."""
    world.sealed()
    writer = tool(world, "write", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert writer.stdin is not None
    assert writer.stdout is not None
    try:
        _tell(writer)
        writer.send_signal(signal.SIGSTOP)
        world.mover().copy(lambda _: None)
        world.mover().cut_over(to("stock_away"))
        writer.send_signal(signal.SIGCONT)
        _tell(writer)
        assert world.ask('SELECT "left" FROM stock_item', "stock_away") == [(2,)]
        equal(world)
    finally:
        writer.send_signal(signal.SIGCONT)
        writer.stdin.close()
        writer.wait(30)
        writer.stdout.close()


def _tell(writer: subprocess.Popen[str]) -> None:
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write("\n")
    writer.stdin.flush()
    assert writer.stdout.readline() == "filled\n"
