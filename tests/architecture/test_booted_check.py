"""The guards over models and migrations: a Django project that breaks each of their rules.

Its database ends the process when it is asked. The module `quiet` is full of near misses.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monolift.boundaries.registry import rules as registry_rules
from monolift.boundaries.rules import rules

ASSETS = Path(__file__).parent / "assets" / "booted"


def check(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "monolift.management", "check", *options]
    environment = {name: text for name, text in os.environ.items() if "DJANGO" not in name}
    environment["GIT_CEILING_DIRECTORIES"] = str(folder.parent)
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(ASSETS, tmp_path_factory.mktemp("booted"), dirs_exist_ok=True))


@pytest.fixture(scope="module")
def violations(folder: Path) -> list[dict[str, Any]]:
    result = check(folder, "--format", "json")
    assert result.returncode == 1, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)["violations"]
    return found


def test_every_plant_is_caught_and_no_near_miss(violations: list[dict[str, Any]]) -> None:
    expected = (ASSETS / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert [
        f"{one['path']}:{one['line']}: {one['rule']}: {one['source']} -> {one['target']}: "
        f"{one['message']} {one['way_out']}"
        for one in violations
    ] == expected


def test_every_rule_has_a_plant(violations: list[dict[str, Any]]) -> None:
    declared = {value for name, value in vars(registry_rules).items() if name.isupper()}
    declared = {value for value in declared if isinstance(value, str) and value in rules()}
    assert declared <= {one["rule"] for one in violations}


def test_the_baseline_holds_for_the_files_alone_as_well(folder: Path) -> None:
    assert check(folder, "--baseline").returncode == 0
    assert check(folder).returncode == 0
    static = check(folder, "--static")
    assert static.returncode == 0, static.stdout
    before = (folder / "monolift-baseline.json").read_bytes()
    assert check(folder, "--static", "--baseline").returncode == 0
    assert (folder / "monolift-baseline.json").read_bytes() == before, "models stay accepted"
    (folder / "monolift-baseline.json").unlink()


def test_the_shop_couples_no_models() -> None:
    result = check(Path(__file__).parents[2])
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("raise RuntimeError('no secret')\n", "RuntimeError: no secret"),
        ("INSTALLED_APPS = ['modules.stok']\n", "No module named 'modules.stok'"),
        ("SECRET_KEY = (\n", "SyntaxError"),
    ],
)
def test_settings_that_do_not_load_are_named(settings: str, told: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ASSETS, tmp_path, dirs_exist_ok=True))
    (folder / "mysite/settings.py").write_text(settings, encoding="utf-8")
    result = check(folder)
    assert result.returncode == 3
    assert "Django does not load with the settings 'mysite.settings'" in result.stderr
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert check(folder, "--static").returncode == 1


def test_a_missing_operation_is_found(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ASSETS, tmp_path, dirs_exist_ok=True))
    (folder / "modules/stock/interface.py").write_text(
        "from typing import Protocol\n\nfrom monolift.kernel import Interface, query\n\n\n"
        "class Stocks(Interface, Protocol, version=1):\n    @query\n"
        '    def left(self, *, sku: str) -> int:\n        """How many."""\n        ...\n',
        encoding="utf-8",
    )
    (folder / "modules/stock/services.py").write_text(
        "class Service:\n    pass\n", encoding="utf-8"
    )
    (folder / "modules/stock/apps.py").write_text(
        "from modules.stock.interface import Stocks\nfrom monolift import Module\n\n\n"
        'class StockModule(Module):\n    name = "modules.stock"\n    owner = "team-supply"\n'
        '    provides = {Stocks: "modules.stock.services.Service"}\n',
        encoding="utf-8",
    )
    with (folder / "mysite/settings.py").open("a", encoding="utf-8") as file:
        file.write(
            'INSTALLED_APPS += ["monolift"]\nDATABASES["default"]["ATOMIC_REQUESTS"] = True\n'
        )
    result = check(folder, "--format", "json")
    found = {one["rule"]: one for one in json.loads(result.stdout)["violations"]}
    assert "Service does not implement Stocks.left." in found["not-provided"]["message"]
    assert found["not-provided"]["path"] == "modules/stock/apps.py"
    assert "has ATOMIC_REQUESTS" in found["atomic-requests"]["message"]


def test_manage_py_check_tells_of_relations_that_are_not_accepted(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ASSETS, tmp_path, dirs_exist_ok=True))
    with (folder / "mysite/settings.py").open("a", encoding="utf-8") as file:
        file.write('INSTALLED_APPS += ["monolift"]\n')
    command = [sys.executable, "-m", "django", "check", "--settings", "mysite.settings"]
    environment = {name: text for name, text in os.environ.items() if "DJANGO" not in name}
    environment["PYTHONPATH"] = str(folder)

    def run() -> str:
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        ).stderr

    told = run()
    assert "(monolift.E101) modules/sales/models.py:10: Sale.article is a relation" in told
    assert "monolift loosen sales.Sale.article" in told
    check(folder, "--baseline")
    assert "monolift.E101" not in run()
