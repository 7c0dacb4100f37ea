"""`monolift check`: every planted violation is caught with file, line and the way out.

`assets/check/sound` is a tiny project full of near misses. Each other folder beside it is laid over
a copy of it; its `expected.txt` holds every line that must be reported, and no other may be. A
folder without one is another near miss.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from monolift.boundaries import static_rules
from monolift.boundaries.rules import rules

ASSETS = Path(__file__).parent / "assets" / "check"
ROOT = Path(__file__).parents[2]
PLANTS = sorted(folder.name for folder in ASSETS.iterdir() if (folder / "expected.txt").exists())
NEAR_MISSES = sorted({folder.name for folder in ASSETS.iterdir()} - set(PLANTS))


def build(folder: Path, plant: str = "sound") -> Path:
    """A copy of the sound project with a plant laid over it."""
    shutil.copytree(ASSETS / "sound", folder, dirs_exist_ok=True)
    shutil.copytree(ASSETS / plant, folder, dirs_exist_ok=True)
    (folder / "expected.txt").unlink(missing_ok=True)
    return folder


def check(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a developer would, without loading Django."""
    command = [sys.executable, "-m", "monolift.management", "check", "--static", *options]
    environment = {name: text for name, text in os.environ.items() if "DJANGO" not in name}
    environment |= {"COLUMNS": "100", "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def found(result: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The violations of a JSON report."""
    assert result.returncode in (0, 1), result.stderr
    violations: list[dict[str, Any]] = json.loads(result.stdout)["violations"]
    assert result.returncode == bool(violations)
    return violations


def lines(result: subprocess.CompletedProcess[str]) -> list[str]:
    """The violations as `expected.txt` has them."""
    return [
        f"{one['path']}:{one['line']}: {one['rule']}: {one['source']} -> {one['target']}: "
        f"{one['message']} {one['way_out']}"
        for one in found(result)
    ]


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_violation_is_caught(plant: str, tmp_path: Path) -> None:
    expected = (ASSETS / plant / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert lines(check(build(tmp_path, plant), "--format", "json")) == expected


@pytest.mark.parametrize("plant", NEAR_MISSES)
def test_a_near_miss_is_none(plant: str, tmp_path: Path) -> None:
    assert lines(check(build(tmp_path, plant), "--format", "json")) == []


def test_every_rule_has_a_plant() -> None:
    planted = {
        line.split(": ")[1]
        for plant in PLANTS
        for line in (ASSETS / plant / "expected.txt").read_text(encoding="utf-8").splitlines()
    }
    declared = {value for name, value in vars(static_rules).items() if name.isupper()}
    declared = {value for value in declared if isinstance(value, str) and value in rules()}
    assert declared <= planted


def test_the_shop_keeps_every_rule() -> None:
    result = check(ROOT, "--no-cache")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "keep the boundaries" in result.stdout


def test_the_cache_gives_the_same_answer_until_a_file_changes(tmp_path: Path) -> None:
    folder = build(tmp_path, "relations")
    cold = check(folder, "--format", "json")
    assert (folder / ".monolift_cache" / "verdict.msgpack").exists()
    assert check(folder, "--format", "json").stdout == cold.stdout
    (folder / "modules/orders/models.py").write_text("x = 1\n", encoding="utf-8")
    assert found(check(folder, "--format", "json")) == []


def test_one_changed_file_is_read_again_and_only_that(tmp_path: Path) -> None:
    folder = build(tmp_path, "sql_by_hand")
    before = found(check(folder, "--format", "json"))
    other = folder / "modules/inventory/services.py"
    other.write_text("from modules.orders.models import Line\n", encoding="utf-8")
    after = found(check(folder, "--format", "json"))
    assert [one for one in after if one["module"] == "orders"] == before
    assert [one["rule"] for one in after if one["module"] == "inventory"] == ["private-import"]


def test_a_file_with_a_tests_name_is_read_again_too(tmp_path: Path) -> None:
    folder = build(tmp_path, "test_by_its_name_only")
    tried = folder / "modules/orders/ab_test.py"
    assert tried.name in check(folder).stdout
    tried.write_text("x = 1\n", encoding="utf-8")
    assert tried.name not in check(folder).stdout


def test_a_spoilt_cache_is_not_used(tmp_path: Path) -> None:
    folder = build(tmp_path, "relations")
    cold = check(folder, "--format", "json")
    for name in ("verdict.msgpack", "files.msgpack"):
        (folder / ".monolift_cache" / name).write_bytes(b"\xff\x00spoilt")
    assert check(folder, "--format", "json").stdout == cold.stdout


def test_people_read_who_must_act_and_how(tmp_path: Path) -> None:
    result = check(build(tmp_path, "import_in_a_function"))
    assert result.returncode == 1
    assert "orders  team-checkout  1\n" in result.stdout
    assert "modules/orders/services.py:2  private-import:" in result.stdout
    assert "Import modules.inventory.interface in modules/orders/requires.py" in result.stdout
    assert "1 violation in 3 modules." in result.stdout


def test_github_annotates_the_line(tmp_path: Path) -> None:
    result = check(build(tmp_path, "import_in_a_function"), "--format", "github")
    (line,) = result.stdout.splitlines()
    start = "::error file=modules/orders/services.py,line=2,title=private-import%3A"
    assert line.startswith(start)
    assert "reached into modules.inventory.models.Stock." in line


def test_sarif_names_rules_places_and_fingerprints(tmp_path: Path) -> None:
    result = check(build(tmp_path, "import_in_a_function"), "--format", "sarif")
    document = json.loads(result.stdout)
    (run,) = document["runs"]
    assert document["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["private-import"]
    (one,) = run["results"]
    place = one["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "modules/orders/services.py"
    assert place["region"] == {"startLine": 2}
    assert one["partialFingerprints"]["monolift/v1"].startswith("private-import:")


def test_the_action_and_the_hook_run_the_command(tmp_path: Path) -> None:
    """Their commands, as GitHub and pre-commit would run them where monolift is installed."""
    folder = build(tmp_path, "import_in_a_function")
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    script = action["runs"]["steps"][-1]["run"]
    script = script.replace("${{ inputs.arguments }}", action["inputs"]["arguments"]["default"])
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command, told in ((script, "::error file="), (hook["entry"], "private-import:")):
        result = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 1, result.stderr
        assert told in result.stdout


def test_explain_tells_of_a_rule_and_of_a_violation(tmp_path: Path) -> None:
    folder = build(tmp_path, "import_in_a_function")
    (violation,) = found(check(folder, "--format", "json"))
    told = check(folder, "--explain", violation["id"])
    assert told.returncode == 0
    assert "modules/orders/services.py:2" in told.stdout
    assert violation["way_out"] in told.stdout
    assert "Everything of a module is private" in told.stdout
    assert (
        "Everything of a module is private" in check(folder, "--explain", "private-import").stdout
    )
    unknown = check(folder, "--explain", "no-such-rule")
    assert unknown.returncode == 3
    assert "no rule 'no-such-rule'" in unknown.stderr


# --- the baseline ---------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_baseline_accepts_today_and_nothing_new(tmp_path: Path) -> None:
    folder = build(tmp_path, "sql_by_hand")
    assert check(folder, "--baseline").returncode == 0
    again = check(folder)
    assert again.returncode == 0
    assert "4 more in the baseline" in again.stdout
    services = folder / "modules/orders/services.py"
    moved = "\n\n\n" + services.read_text(encoding="utf-8")
    services.write_text(moved, encoding="utf-8")
    assert check(folder).returncode == 0, "an entry does not know lines"
    services.write_text(moved + "\nfrom modules.inventory import tasks\n", encoding="utf-8")
    grown = found(check(folder, "--format", "json"))
    assert [one["rule"] for one in grown] == ["private-import"]
    assert check(folder, "--baseline").returncode == 1, "what is new is not taken in"


def test_a_mended_violation_must_leave_the_baseline(tmp_path: Path) -> None:
    folder = build(tmp_path, "import_in_a_function")
    check(folder, "--baseline")
    (folder / "modules/orders/services.py").write_text("x = 1\n", encoding="utf-8")
    stale = check(folder)
    assert stale.returncode == 1
    assert "modules.orders.services.reserve -> modules.inventory.models.Stock" in stale.stdout
    assert check(folder, "--baseline").returncode == 0
    assert json.loads((folder / "monolift-baseline.json").read_text())["violations"] == []


def test_a_baseline_that_grew_since_the_trunk_fails(tmp_path: Path) -> None:
    folder = build(tmp_path, "import_in_a_function")
    check(folder, "--baseline")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "Begin")
    git(folder, "switch", "-qc", "work")
    services = folder / "modules/orders/services.py"
    added = "\nfrom modules.inventory import tasks\n"
    services.write_text(services.read_text(encoding="utf-8") + added, encoding="utf-8")
    (folder / "monolift-baseline.json").unlink()
    check(folder, "--baseline")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "Accept one more")
    result = check(folder)
    assert result.returncode == 1
    assert "since this branch left the trunk" in result.stdout
    assert "modules.orders.services -> modules.inventory.tasks" in result.stdout


def test_a_baseline_is_not_judged_by_a_clone_without_its_history(tmp_path: Path) -> None:
    origin = build(tmp_path, "import_in_a_function")
    check(origin, "--baseline")
    git(origin, "init", "-q", "-b", "main")
    for message in ("Begin", "Go on"):
        git(origin, "add", ".")
        git(origin, "commit", "-qm", message, "--allow-empty")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=1", origin.as_uri(), str(clone))
    for arguments in ([], ["--baseline"]):
        result = check(clone, *arguments)
        assert result.returncode == 3
        assert "monolift-baseline.json cannot be compared: this clone is shallow" in result.stderr
        assert "fetch-depth: 0" in result.stderr
    git(clone, "fetch", "-q", "--unshallow")
    assert check(clone).returncode == 0


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "names no modules"),
        ("[tool.monolift]\nmodules = 'modules'\n", "no list of strings"),
        ("[tool.monolift]\nmodules = ['modles.*']\n", "'modles.*' under [tool.monolift] names no"),
        ("[tool.monolift]\nmodules = ['mod*les']\n", "'mod*les' is no pattern"),
        ("[tool.monolift]\nmodule = ['modules.*']\n", "no key 'module'"),
        ("[tool.monolift]\nmodules = ['modules.*']\nbff = ['web']\n", "'web', which is no module"),
        ("[tool.monolift", "cannot be read"),
        ("[tool.monolift.groups]\nsales = []\n", "sales is no list of packages"),
    ],
)
def test_a_wrong_configuration_is_named(text: str, told: str, tmp_path: Path) -> None:
    folder = build(tmp_path)
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    result = check(folder)
    assert result.returncode == 3
    assert told in result.stderr
    assert "pyproject.toml" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is no baseline"),
        ('{"version": 2, "violations": []}', "has version 2"),
        ('{"version": 1}', "is no baseline"),
        ("\x00\x01", "is no baseline"),
    ],
)
def test_an_unreadable_baseline_is_named(text: str, told: str, tmp_path: Path) -> None:
    folder = build(tmp_path)
    (folder / "monolift-baseline.json").write_text(text, encoding="utf-8")
    result = check(folder)
    assert result.returncode == 3
    assert f"monolift-baseline.json {told}" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_contract_that_import_linter_cannot_read_is_named(tmp_path: Path) -> None:
    folder = build(tmp_path)
    (folder / ".importlinter").write_text(
        "[importlinter]\nroot_package = modules\n\n[importlinter:contract:a]\nname = A\n"
        "type = layers\n",
        encoding="utf-8",
    )
    result = check(folder)
    assert result.returncode == 3
    assert ".importlinter: the contract 'A' cannot be read" in result.stderr


def test_outside_a_project_it_says_where_to_go(tmp_path: Path) -> None:
    result = check(tmp_path)
    assert result.returncode == 3
    assert "There is no pyproject.toml in" in result.stderr


@pytest.mark.parametrize("path", ["modules/orders/services.py", "lib/dates.py"])
@pytest.mark.parametrize("content", [b"x = '\xe9'\n", b"x = (\n", b"x = 1\x00\n"])
def test_a_file_that_is_no_python_is_named(path: str, content: bytes, tmp_path: Path) -> None:
    folder = build(tmp_path)
    (folder / path).write_bytes(content)
    result = check(folder, "--format", "json")
    assert [(one["path"], one["rule"]) for one in found(result)] == [(path, "unreadable")]
    assert not result.stderr


def test_what_is_no_file_is_no_matter(tmp_path: Path) -> None:
    """As some editors leave beside a file they hold."""
    folder = build(tmp_path)
    (folder / "modules/orders/.#services.py").symlink_to("somebody@somewhere.1")
    (folder / "modules/orders/templates/page.html").symlink_to("nowhere.html")
    (folder / "modules/orders/folder.py").mkdir()
    assert found(check(folder, "--format", "json")) == []


@pytest.mark.parametrize("path", ["modules/orders/gone.py", "lib/gone.py"])
def test_a_file_that_cannot_be_read_is_named(path: str, tmp_path: Path) -> None:
    folder = build(tmp_path)
    (folder / path).symlink_to("nowhere.py")
    result = check(folder)
    assert result.returncode == 3
    assert result.stderr == f"monolift: {path} cannot be read: No such file or directory.\n"


@pytest.mark.parametrize(
    ("where", "code", "told"),
    [
        ("| true; exit ${PIPESTATUS[0]}", 141, ""),  # whoever reads has enough
        ("> /dev/full", 3, "monolift: No space left on device.\n"),
    ],
)
def test_output_that_cannot_be_written_is_no_fault(
    where: str, code: int, told: str, tmp_path: Path
) -> None:
    folder = build(tmp_path, "relations")
    shell = f"{sys.executable} -m monolift.management check --static --format github {where}"
    result = subprocess.run(
        ["bash", "-c", shell], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (code, told)
