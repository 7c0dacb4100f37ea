"""What the pages point to exists: files, make targets, verbs, names."""

import re
import subprocess
from pathlib import Path

import pytest

import monolift

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_relative_links_resolve(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text()) if "://" not in link]
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z-]+)", page.read_text(), re.MULTILINE))
    assert named <= targets


def test_verbs_exist() -> None:
    folder = ROOT / "platform/src/monolift/management/verbs"
    verbs = {path.stem.replace("_", "-") for path in folder.glob("*.py")}
    for page in PAGES:
        named = set(re.findall(r"(?:manage\.py |`)monolift ([a-z-]+)", page.read_text()))
        assert named <= verbs, page


def test_every_public_name_is_explained() -> None:
    text = "\n".join(page.read_text() for page in ROOT.glob("docs/**/*.md"))
    assert [name for name in monolift.__all__ if not re.search(rf"\b{name}\b", text)] == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs/adr"
    listed = set(_LINK.findall((folder / "README.md").read_text()))
    assert {path.name for path in folder.glob("0*.md")} == listed


def test_pages_name_no_machine() -> None:
    """Public pages speak of the project alone."""
    tracked = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in tracked.stdout.split():
        assert not re.search(r"/(tmp|root|home)/", (ROOT / name).read_text()), name
