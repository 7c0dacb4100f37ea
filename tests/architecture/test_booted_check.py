"""`monolift check` with Django loaded: the baseline, what modules provide, settings that fail."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ASSETS = Path(__file__).parent / "assets" / "models"


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
    ("settings", "line", "told"),
    [
        ("\nraise RuntimeError('no secret')\n", ":2", "RuntimeError: no secret."),
        ("raise SystemExit('no secret')\n", ":1", "SystemExit: no secret."),
        ("INSTALLED_APPS = ['modules.stok']\n", "", "No module named 'modules.stok'."),
        ("\n\nSECRET_KEY = (\n", ":3", "syntax error: '(' was never closed."),
    ],
)
def test_settings_that_do_not_load_are_named(
    settings: str, line: str, told: str, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(ASSETS, tmp_path, dirs_exist_ok=True))
    (folder / "mysite/settings.py").write_text(settings, encoding="utf-8")
    result = check(folder)
    assert result.returncode == 3
    assert result.stderr.startswith(f"monolift: mysite/settings.py{line}: Django does not load")
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert check(folder, "--static").returncode == 1


def test_a_missing_operation_is_found(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ASSETS, tmp_path, dirs_exist_ok=True))
    (folder / "modules/catalog/interface.py").write_text(
        "from typing import Protocol\n\nfrom monolift.kernel import Interface, query\n\n\n"
        "class Catalog(Interface, Protocol, version=1):\n    @query\n"
        '    def left(self, *, sku: str) -> int:\n        """How many."""\n        ...\n',
        encoding="utf-8",
    )
    (folder / "modules/catalog/services.py").write_text(
        "class Service:\n    pass\n", encoding="utf-8"
    )
    (folder / "modules/catalog/apps.py").write_text(
        "from modules.catalog.interface import Catalog\nfrom monolift import Module\n\n\n"
        'class CatalogModule(Module):\n    name = "modules.catalog"\n    owner = "team-catalog"\n'
        '    provides = {Catalog: "modules.catalog.services.Service"}\n',
        encoding="utf-8",
    )
    with (folder / "mysite/settings.py").open("a", encoding="utf-8") as file:
        file.write(
            'INSTALLED_APPS += ["monolift"]\nDATABASES["default"]["ATOMIC_REQUESTS"] = True\n'
        )
    result = check(folder, "--format", "json")
    found = {one["rule"]: one for one in json.loads(result.stdout)["violations"]}
    assert "Service does not implement Catalog.left." in found["not-provided"]["message"]
    assert found["not-provided"]["path"] == "modules/catalog/apps.py"
    assert "has ATOMIC_REQUESTS" in found["atomic-requests"]["message"]
