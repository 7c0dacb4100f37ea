"""The guide to building a module is run as it stands: its files, its commands, its test."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "module.md"
_FILE = re.compile(r"^`([\w/]+\.py)`\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def files(page: str) -> dict[str, str]:
    """The files that a page shows, by name."""
    return dict(_FILE.findall(page))


def run_guide(page: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Write a page's files into a folder and run its commands; the last one's outcome."""
    for name, text in files(page).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for module in ("modules", "modules/shelf", "modules/loans"):
        (folder / module / "__init__.py").touch()
    inherited = ("MONOLIFT_", "DJANGO_", "PYTEST_", "DATABASE_URL")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(inherited)}
    environment |= {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(folder)}
    outcome = None
    for command in re.findall(r"^\$ python -m (.*)$", page, re.MULTILINE):
        outcome = subprocess.run(
            [sys.executable, "-m", *command.split()],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if outcome.returncode:
            break
    assert outcome is not None, "the page has no commands"
    return outcome


def test_the_guide_works(tmp_path: Path) -> None:
    page = GUIDE.read_text()
    assert len(files(page)) == 14
    outcome = run_guide(page, tmp_path)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "4 passed" in outcome.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("copies__gt=0", "copies__gt=1"),
        ("shelf.put_back(isbn=self.isbn)", "pass"),
        ('provides = {Loans: "', 'provides = {Loans: "x'),
    ],
    ids=["another rule", "an undo that does nothing", "a wrong path"],
)
def test_a_wrong_guide_is_noticed(tmp_path: Path, right: str, wrong: str) -> None:
    page = GUIDE.read_text()
    assert right in page
    assert run_guide(page.replace(right, wrong), tmp_path).returncode != 0
