"""The contracts of `.importlinter`: kept by this repository, broken by every planted violation.

`assets/sound` is a tiny project full of near misses that keeps them all. Each other folder beside
it, but for those that are projects of their own, is laid over a copy of it and holds the output it
must cause in `expected.txt`: the ids of the contracts that break, in brackets, and below each the
lines that name file, line and way out.
"""

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASSETS = Path(__file__).parent / "assets"
CONFIGURATION = ROOT / ".importlinter"
PLANTS = sorted(
    folder.name
    for folder in ASSETS.iterdir()
    if (folder / "expected.txt").exists() and not (folder / "pyproject.toml").exists()
)


def contract_names() -> dict[str, str]:
    """The contracts of `.importlinter`: id to name."""
    parser = configparser.ConfigParser()
    parser.read(CONFIGURATION, encoding="utf-8")
    prefix = "importlinter:contract:"
    return {
        section.removeprefix(prefix): parser[section]["name"]
        for section in parser.sections()
        if section.startswith(prefix)
    }


def lint(*, folder: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter in `folder` as a developer would, on lines that are not wrapped."""
    program = Path(sys.executable).with_name("lint-imports")
    command = [str(program), "--config", str(CONFIGURATION), "--cache-dir", str(cache), "--no-logo"]
    environment = os.environ | {"COLUMNS": "1000", "PYTHONPATH": str(folder)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def broken_contracts(output: str) -> set[str]:
    """The ids of the contracts that import-linter reports as broken."""
    names = contract_names()
    broken = set(re.findall(r"^(.+) BROKEN\b", output, flags=re.MULTILINE))
    return {identifier for identifier, name in names.items() if name in broken}


def section(output: str, contract: str) -> str:
    """What import-linter says about one broken contract."""
    name = contract_names()[contract]
    heading = f"\n{name}\n{'-' * len(name)}\n"
    assert heading in output, f"{name!r} has no section in:\n{output}"
    text = output.split(heading, 1)[1]
    return re.split(r"\n.+\n-{5,}\n", text, maxsplit=1)[0]


def expectations(plant: str) -> dict[str, list[str]]:
    """What `expected.txt` of a plant asks for: lines by contract."""
    wanted: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (ASSETS / plant / "expected.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            lines = wanted.setdefault(line.strip("[]"), [])
        else:
            lines.append(line)
    return wanted


def build(*, folder: Path, plant: str | None) -> Path:
    """A project in `folder`: the sound one, and the plant laid over it."""
    shutil.copytree(ASSETS / "sound", folder, dirs_exist_ok=True)
    boundaries = ROOT / "platform" / "src" / "monolift" / "boundaries"
    shutil.copytree(boundaries, folder / "monolift" / "boundaries", dirs_exist_ok=True)
    if plant is not None:
        shutil.copytree(ASSETS / plant, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all runs of this session; entries are keyed by file and time."""
    return tmp_path_factory.mktemp("import_linter_cache")


def test_this_repository_keeps_the_contracts(cache: Path) -> None:
    result = lint(folder=ROOT, cache=cache)
    assert result.returncode == 0, result.stdout + result.stderr


def test_near_misses_keep_the_contracts(tmp_path: Path, cache: Path) -> None:
    result = lint(folder=build(folder=tmp_path, plant=None), cache=cache)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_violation_is_caught(plant: str, tmp_path: Path, cache: Path) -> None:
    wanted = expectations(plant)
    result = lint(folder=build(folder=tmp_path, plant=plant), cache=cache)
    assert result.returncode != 0, result.stdout
    assert broken_contracts(result.stdout) == set(wanted), result.stdout
    for contract, lines in wanted.items():
        reported = section(result.stdout, contract)
        for line in lines:
            assert line in reported, f"{line!r} is missing in:\n{reported}"


def test_every_contract_has_a_plant() -> None:
    planted = {contract for plant in PLANTS for contract in expectations(plant)}
    assert planted == set(contract_names())


def test_every_contract_says_why() -> None:
    lines = CONFIGURATION.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.startswith("[importlinter:contract:"):
            above = lines[:number][::-1]
            comment = above[: next(i for i, text in enumerate(above) if not text.startswith(";"))]
            assert comment, f"{line} does not say why"
            assert comment[-1].startswith("; Why: "), f"{line} does not say why"
