"""Contract files travel alone: they import in a bare interpreter, without any framework."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASSETS = Path(__file__).parent / "assets"
CONTRACT_FILES = sorted(
    path for name in ("interface.py", "events.py") for path in (ROOT / "modules").glob(f"*/{name}")
)
# Imports a module by name and prints the top-level packages it brought that are not Python's own.
PROBE = """
import importlib, sys
before = set(sys.modules)
importlib.import_module(sys.argv[1])
brought = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(brought - set(sys.stdlib_module_names)))
"""
# msgspec itself looks for typing_extensions.
ALLOWED = {"modules", "monolift", "msgspec", "typing_extensions"}


def packages_imported_by(name: str, *, folder: Path = ROOT) -> set[str]:
    """What importing `name` brings into a fresh interpreter that knows no settings."""
    result = subprocess.run(
        [sys.executable, "-c", PROBE, name],
        cwd=folder,
        env={"PATH": "", "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


@pytest.mark.parametrize("path", CONTRACT_FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_contract_file_imports_alone(path: Path) -> None:
    brought = packages_imported_by(f"modules.{path.parent.name}.{path.stem}")
    assert brought <= ALLOWED, f"{path} brings {sorted(brought - ALLOWED)}"


def test_the_library_root_is_light() -> None:
    assert packages_imported_by("monolift") <= ALLOWED


def test_there_are_contract_files() -> None:
    assert len(CONTRACT_FILES) >= 2


def test_a_contract_file_that_brings_a_framework_is_seen(tmp_path: Path) -> None:
    planted = ASSETS / "contract_reaches_a_framework" / "modules" / "inventory" / "events.py"
    (tmp_path / "planted.py").write_text(planted.read_text(encoding="utf-8"), encoding="utf-8")
    assert "django" in packages_imported_by("planted", folder=tmp_path)
