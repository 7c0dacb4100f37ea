"""What gets in the way of a move that has begun: a migration, a disk that is full."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from monolift import use
from monolift.lift.moving import Blocked
from monolift.lift.plan import state
from monolift.lift.plan.stage import Lift
from monolift.lift.plan.stages.finish import Finish
from scripts.with_postgresql import server_account
from tests.library.lift.postgresql.places import Places, connect, to
from tests.library.world.stock.interface import Stock


def test_a_migration_is_refused_while_rows_are_fed(world: Places) -> None:
    world.sealed()
    with state.held(state.begin("stock")) as mine:
        mine.starts("copy")
        world.mover().copy(lambda _: None)
        mine.done("copy", {}, of="copy")
    world.do("DELETE FROM django_migrations WHERE app = 'stock'")  # so there is one to be applied
    with pytest.raises(CommandError, match=r"stock is being moved .*0001_initial.*finish.*land"):
        call_command("migrate", "stock", verbosity=0, skip_checks=True)
    call_command("migrate", "sales", verbosity=0, skip_checks=True)  # another's


def test_tables_that_were_changed_by_hand_are_not_cut_over(world: Places) -> None:
    world.sealed()
    world.mover().copy(lambda _: None)
    world.do("ALTER TABLE stock_item ADD COLUMN later int")
    for way in (world.mover().rehearse, lambda: world.mover().cut_over(to("stock_away"))):
        with pytest.raises(Blocked, match=r"since they were copied: column stock_item\.later"):
            way()
    use(Stock).fill(sku="a")
    world.do("ALTER TABLE stock_item ADD COLUMN later int", "stock_away")
    world.mover().cut_over(to("stock_away"))
    use(Stock).fill(sku="a")
    assert world.ask('SELECT "left" FROM stock_item', "stock_away") == [(20,)]


@contextmanager
def full(url: str, megabytes: int) -> Iterator[None]:
    """No file of a server grows beyond it: `could not extend file`, as on a disk that is full."""
    with connect(url) as session:
        [(folder,)] = session.execute("SHOW data_directory").fetchall()
    postmaster = Path(folder, "postmaster.pid").read_text().split()[0]

    def most(size: object) -> None:
        subprocess.run(
            ["prlimit", "--pid", postmaster, f"--fsize={size}:"], user=server_account(), check=True
        )

    most(megabytes * 1024 * 1024)
    try:
        yield
    finally:
        most("unlimited")


def test_a_disk_that_fills_stops_the_copy_and_nobody_else(apart: Places) -> None:
    """And when there is room, it can be made."""
    apart.sealed()
    apart.do("ALTER TABLE stock_hold DISABLE TRIGGER USER")
    apart.do(
        "INSERT INTO stock_hold (sku, quantity) SELECT string_agg(md5(random()::text), ''), 1 "
        "FROM generate_series(1, 800000) n GROUP BY n % 4000"
    )  # 25 MB that do not get smaller
    apart.do("ALTER TABLE stock_hold ENABLE TRIGGER USER")
    with full(apart.there, 17):  # the log's own files have 16
        with pytest.raises(Blocked, match="and none are there: could not extend file"):
            apart.mover().copy(lambda _: None)
        use(Stock).fill(sku="a")
    copied = apart.mover()
    copied.copy(lambda _: None)
    copied.cut_over(to("stock_away"))
    assert copied.verify()["differences"] == []
    use(Stock).fill(sku="a")
    assert apart.ask("SELECT \"left\" FROM stock_item WHERE sku = 'a'", "stock_away") == [(20,)]


def test_finish_ends_the_feed_and_writes_where_the_module_is(
    world: Places, tmp_path: Path, settings: Settings
) -> None:
    file = tmp_path / "topology.toml"
    file.write_text('[deployables.shop]\n\n[modules.stock]\ndeployable = "shop"\n')
    world.sealed()
    world.mover().copy(lambda _: None)
    world.mover().cut_over(to("stock_away"))
    settings.MONOLIFT = {**settings.MONOLIFT, "TOPOLOGY": file}
    assert Finish().apply(Lift(module="stock", evidence={}))["owner"] == "stock_away"
    assert 'database = "stock_away"' in file.read_text()
    assert world.ask("SELECT slot_name FROM pg_replication_slots") == []
