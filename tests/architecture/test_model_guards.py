"""The guards over models, queries and migrations, on a Django project that breaks each rule.

In its files `# caught: <rule>` marks the lines that must be reported, and no other may be;
`# allowed: <rule>` marks the near misses. Its database ends the process when it is asked.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monolift.boundaries.registry import rules as registry_rules
from monolift.boundaries.rules import rules

ROOT = Path(__file__).parents[2]
ASSETS = Path(__file__).parent / "assets" / "models"
DECLARED = {
    value
    for name, value in vars(registry_rules).items()
    if name.isupper() and isinstance(value, str) and value in rules()
}
FIND = """
import sys
from pathlib import Path
import django, msgspec
django.setup()
from monolift.boundaries.project import read_project
from monolift.boundaries.registry import find_violations
found = find_violations(read_project(root=Path()))
sys.stdout.write(msgspec.json.encode(found).decode())
"""
CONNECT = """
import django
django.setup()
from django.db import connection
connection.ensure_connection()
"""


def run(folder: Path, settings: str, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in a project's folder, with settings of its own."""
    kept = {name: text for name, text in os.environ.items() if "DJANGO" not in name}
    environment = kept | {
        "DJANGO_SETTINGS_MODULE": settings,
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
    }
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def find(folder: Path, settings: str = "mysite.settings") -> list[dict[str, Any]]:
    """The violations of a project."""
    done = run(folder, settings, "-c", FIND)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project, to be changed."""
    return Path(shutil.copytree(ASSETS, tmp_path / "models"))


@pytest.fixture(scope="module")
def violations() -> list[dict[str, Any]]:
    """What the guards say of the project."""
    return find(ASSETS)


def marks(word: str) -> set[tuple[str, int, str]]:
    """(path, line, rule) of the marks in the project's files."""
    return {
        (file.relative_to(ASSETS).as_posix(), number, mark[1])
        for file in ASSETS.rglob("*.py")
        for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if (mark := re.search(rf"# {word}: (\S+)", text))
    }


def test_the_database_ends_the_process_that_asks_it() -> None:
    done = run(ASSETS, "mysite.settings", "-c", CONNECT)
    assert done.returncode == 1
    assert "The database was asked." in done.stderr


def test_the_marked_lines_are_caught_and_no_others(violations: list[dict[str, Any]]) -> None:
    assert {(one["path"], one["line"], one["rule"]) for one in violations} == marks("caught")


def test_every_violation_says_who_does_what_and_the_way_out(
    violations: list[dict[str, Any]],
) -> None:
    expected = (ASSETS / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert [
        f"{one['path']}:{one['line']}: {one['rule']}: {one['source']} -> {one['target']}: "
        f"{one['message']} {one['way_out']}"
        for one in violations
    ] == expected
    assert {one["owner"] for one in violations if one["module"] == "orders"} == {"team-orders"}


def test_every_rule_has_a_plant_and_a_near_miss() -> None:
    assert {rule for _, _, rule in marks("caught")} == DECLARED
    assert {rule for _, _, rule in marks("allowed")} == DECLARED


def test_a_group_of_apps_is_one_module(copy: Path) -> None:
    (copy / "pyproject.toml").write_text(
        '[tool.monolift]\nmodules = ["modules.desk"]\n\n'
        '[tool.monolift.groups]\nsales = ["modules.catalog", "modules.orders"]\n',
        encoding="utf-8",
    )
    assert {one["rule"] for one in find(copy)} == {"generic-foreign-key"}


def test_a_file_with_a_tests_name_is_read_when_other_code_imports_it(copy: Path) -> None:
    text = (
        "from modules.orders.models import Line\n\nfound = Line.objects.filter(product__price=1)\n"
    )
    for name in ("ab_test.py", "test_other.py"):
        (copy / "modules/orders" / name).write_text(text, encoding="utf-8")
    with (copy / "modules/orders/queries.py").open("a", encoding="utf-8") as file:
        file.write("\n\nfrom modules.orders import ab_test\n")
    found = [one for one in find(copy) if "test" in one["path"]]
    assert [(one["path"], one["line"], one["rule"]) for one in found] == [
        ("modules/orders/ab_test.py", 3, "lookup")
    ]


def test_manage_py_check_tells_what_the_baseline_does_not_hold(copy: Path) -> None:
    with (copy / "mysite/settings.py").open("a", encoding="utf-8") as file:
        file.write('INSTALLED_APPS += ["monolift"]\n')

    def told() -> str:
        return run(copy, "mysite.settings", "-m", "django", "check").stderr

    first = told()
    found = find(copy)
    for one in found:
        assert f"{one['message']} ({one['path']}:{one['line']}, {one['rule']}:" in first
    ids = re.findall(r"\((monolift\.[EW]\d+)\)", first)
    assert sorted(set(ids)) == [
        *(f"monolift.E{number}" for number in (101, 102, 103, 104, 105, 106, 109, 110)),
        *(f"monolift.W{number}" for number in (107, 108)),
    ]
    assert len(ids) == len(found)
    known = [{key: one[key] for key in ("module", "rule", "source", "target")} for one in found]
    baseline = copy / "monolift-baseline.json"
    baseline.write_text(json.dumps({"version": 1, "violations": known[1:]}), encoding="utf-8")
    assert len(re.findall(r"\(monolift\.[EW]\d+\)", told())) == 1
    baseline.write_text("no baseline", encoding="utf-8")
    assert "(monolift.E100) monolift-baseline.json is no baseline" in told()
    (copy / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    assert "monolift." not in told()


def test_the_shop_couples_no_models_queries_or_migrations() -> None:
    assert find(ROOT, "config.settings") == []
