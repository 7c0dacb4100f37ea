"""Where files may lie, and which names they may not have."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPPED = {".venv", ".git", "node_modules", "var", "assets"}
VAGUE = {"common", "helpers", "misc", "utils"}


def python_files(*folders: str) -> list[Path]:
    """The Python files below folders of the repository."""
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if not SKIPPED & set(path.relative_to(ROOT).parts)
    )


def test_platform_is_no_package() -> None:
    """With an __init__.py it would hide the standard library's `platform` from everyone."""
    assert not (ROOT / "platform" / "__init__.py").exists()


@pytest.mark.parametrize(
    "arguments",
    [["-c", "import platform; print(platform.system())"], ["-m", "platform", "terse"]],
    ids=["-c", "-m"],
)
def test_the_standard_library_keeps_its_platform_module(arguments: list[str]) -> None:
    """Both ways put the working directory, and with it the folder platform/, first on the path."""
    result = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()


def test_no_test_lies_under_platform() -> None:
    """pytest would register `platform` as a package of that name."""
    inside = [
        path
        for path in python_files("platform")
        if path.name.startswith("test_")
        or path.name.endswith("_test.py")
        or path.name == "conftest.py"
    ]
    assert inside == []


def test_no_package_is_called_platform() -> None:
    folders = {path.parent for path in python_files("tests", "modules", "config", "scripts")}
    assert [folder for folder in sorted(folders) if folder.name == "platform"] == []


def test_every_folder_of_tests_is_a_package() -> None:
    """Else two test files of one name collide."""
    folders = {path.parent for path in python_files("tests")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_no_file_has_a_vague_name() -> None:
    """A name that says nothing collects what belongs elsewhere."""
    files = python_files("platform", "modules", "config", "tests", "benchmarks", "scripts")
    vague = [path for path in files if VAGUE & {path.stem, path.parent.name}]
    assert vague == []
