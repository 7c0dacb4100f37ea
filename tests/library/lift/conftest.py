"""A module that can be lifted: `stock`, with a file beside the test's database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connections
from pytest_django import Settings

from monolift.lift.movers.sqlite.files import has, opened
from monolift.lift.movers.sqlite.tables import COMING, GONE, Layout, quoted, renaming
from monolift.lift.plan import stages
from monolift.lift.plan.stage import Lift, Wishes
from monolift.registry import topology as registry

TOPOLOGY = """
[deployables.shop]
[deployables.stock]
url = "http://127.0.0.1:9"
[databases.stock]
"""


@pytest.fixture(scope="module", autouse=True)
def _declared(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[None]:
    """The database that a lift would fill, known before a test is given its databases."""
    path = tmp_path_factory.mktemp("lift") / "stock.sqlite3"
    django_settings.DATABASES["stock"] = {**connections["default"].settings_dict, "NAME": path}
    yield
    connections["stock"].close()
    del connections["stock"]
    del django_settings.DATABASES["stock"]


@pytest.fixture
def file(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """The file that `stock` is sealed into; afterwards all is in the test's database again."""
    topology = tmp_path / "topology.toml"
    topology.write_text(TOPOLOGY)
    settings.MONOLIFT = {
        **settings.MONOLIFT, "DATA": tmp_path, "TOPOLOGY": topology, "WAKE": "poll",
    }  # fmt: skip
    path = Path(connections["stock"].settings_dict["NAME"])
    registry.heed(True)
    registry.reset()
    yield path
    registry.heed(False)
    registry.reset()
    connections["stock"].close()
    for leftover in path.parent.glob("stock.sqlite3*"):
        leftover.unlink()
    _put_back(str(connections["default"].settings_dict["NAME"]))


@pytest.fixture
def lift(file: Path, monkeypatch: pytest.MonkeyPatch) -> Lift:
    """The lift of `stock`, which needs no assessment."""
    monkeypatch.setattr(stages, "STAGES", [one for one in stages.STAGES if one.name != "assess"])
    return Lift(module="stock", evidence={}, wishes=Wishes(budget=2.0, watch_for=0.1))


def _put_back(file: str) -> None:
    connections["default"].close()
    with opened(file) as link:
        layout = Layout(link, "stock")
        for before, tables in ((COMING, layout.coming), (GONE, layout.gone)):
            for table in tables:
                if has(link, table):
                    link.execute(f"DROP TABLE {quoted(before + table)}")
                else:
                    link.execute(renaming(before + table, table))
        leftovers = link.execute(
            "SELECT type, name FROM sqlite_master WHERE name LIKE 'monolift_fence_stock%' "
            "OR name LIKE 'monolift_feed_stock%' OR name LIKE 'monolift_kept_%'"
        ).fetchall()
        for kind, name in sorted(leftovers, reverse=True):  # triggers before their table
            link.execute(f"DROP {kind} IF EXISTS {quoted(name)}")
        link.execute("DELETE FROM monolift_fence")
        link.execute("DELETE FROM monolift_truth")
