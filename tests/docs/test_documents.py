"""The generated pages: what they say of a project, when they are stale, that they never vary."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from monolift.documents.markdown import anchor
from tests.library.running import ROOT, environment

SETTINGS = """\
from pathlib import Path

BASE_DIR = Path(__file__).parent
SECRET_KEY = "only-for-this-test"
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
INSTALLED_APPS = ["monolift", "monolift.db", *(
    f"parts.{path.parent.name}" for path in sorted((BASE_DIR / "parts").glob("*/apps.py"))
)]
"""
SHELF = {
    "apps.py": """\
from monolift import Module
from parts.shelf.interface import Shelf


class ShelfModule(Module):
    \"\"\"Copies of books.\"\"\"

    name = "parts.shelf"
    owner = "team-stacks"
    provides = {Shelf: "parts.shelf.services.ShelfService"}
""",
    "interface.py": """\
from typing import NewType, Protocol

from monolift.kernel import DomainError, Dto, Interface, command, query

Isbn = NewType("Isbn", str)


class NoCopyLeft(DomainError, status=409):
    \"\"\"Every copy of {isbn} is out.\"\"\"

    isbn: Isbn


class Copy(Dto):
    \"\"\"A copy of a book.\"\"\"

    number: int
    isbn: Isbn | None = None


class Shelf(Interface, Protocol, version=2):
    \"\"\"What stands there.\"\"\"

    @query(timeout=2)
    def copies(self, *, isbn: Isbn) -> tuple[Copy, ...]:
        \"\"\"The copies that are in.\"\"\"
        ...

    @command(raises=NoCopyLeft)
    def take(self, *, isbn: Isbn) -> Copy:
        \"\"\"Take one.\"\"\"
        ...

    @command(keyed=False)
    def dust(self) -> None:
        \"\"\"Nobody asks for it.\"\"\"
        ...
""",
    "events.py": """\
from monolift.kernel import Event


class CopyTaken(Event, version=1, key="isbn"):
    \"\"\"A copy left the shelf.\"\"\"

    isbn: str
    number: int = 1
""",
    "services.py": "from parts.shelf.interface import Shelf\n\n\nclass ShelfService(Shelf): ...\n",
    "models.py": """\
from django.db import models


class Volume(models.Model):
    \"\"\"A book | with a bar.\"\"\"

    isbn = models.CharField(max_length=20)
    related = models.ManyToManyField("self")
""",
}
LOANS = {
    "apps.py": """\
from monolift import Module


class LoansModule(Module):
    name = "parts.loans"
    owner = "team-desk"
""",
    "requires.py": """\
from monolift import use
from parts.shelf.interface import Shelf

shelf = use(Shelf)
""",
    "views.py": """\
from django.conf import settings

from . import requires


class Kept:
    def __init__(self, asked):
        self.asked = asked


kept = Kept(requires.shelf)


def desk(request):
    return settings.LOANS["DAYS"], getattr(settings, "LOANS_OPEN", True)
""",
    "pages.py": """\
from parts.loans.views import kept


def page():
    return kept.copies(isbn="1")
""",
    "handlers.py": """\
from monolift import subscribe
from parts.shelf.events import CopyTaken


@subscribe(CopyTaken)
def count(event: CopyTaken) -> None:
    \"\"\"Count it.\"\"\"
""",
    "sagas.py": """\
from monolift import Saga, days, step
from parts.loans.requires import shelf
from parts.shelf.events import CopyTaken
from parts.shelf.interface import Shelf


class Lending(Saga, version=1):
    \"\"\"Lend a book.\"\"\"

    isbn: str = ""

    @step
    def write(self) -> None:
        \"\"\"Write it down.\"\"\"

    @write.undo
    def cross_out(self) -> None:
        \"\"\"Cross it out.\"\"\"

    @step(calls=Shelf.take, pivot=True)
    def end(self) -> None:
        shelf.take(isbn=self.isbn)

    @step(awaits=CopyTaken, match="isbn", within=days(1))
    def note(self, event: CopyTaken) -> None:
        \"\"\"It left.\"\"\"
""",
    "tasks.py": """\
from monolift import task


@task
def remind(*, reader: str, days: int = 3) -> None:
    \"\"\"Write to a reader.\"\"\"
""",
}


def add(project: Path, label: str, files: dict[str, str]) -> None:
    """Put a module into a project."""
    folder = project / "parts" / label
    folder.mkdir(parents=True)
    for name, text in {"__init__.py": "", **files}.items():
        (folder / name).write_text(text, encoding="utf-8")


def bare(name: str) -> dict[str, str]:
    """A module that declares nothing but itself."""
    return {
        "apps.py": "from monolift import Module\n\n\n"
        f'class Bare(Module):\n    name = "parts.{name}"\n    owner = "team-new"\n'
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project of two modules, which has nothing of the shop."""
    (tmp_path / "settings.py").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "manage.py").write_text(
        "import os\nimport sys\n\nfrom django.core.management import execute_from_command_line\n\n"
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n'
        "execute_from_command_line(sys.argv)\n",
        encoding="utf-8",
    )
    add(tmp_path, "shelf", SHELF)
    add(tmp_path, "loans", LOANS)
    return tmp_path


def docs(project: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `monolift docs` in a project."""
    return subprocess.run(
        [sys.executable, "-m", "monolift.management", "docs", *arguments],
        cwd=project,
        env=environment(**more),
        capture_output=True,
        text=True,
        check=False,
    )


def written(project: Path, **more: str) -> dict[str, str]:
    """The pages of a project, written anew."""
    outcome = docs(project, **more)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    folder = project / "docs" / "map"
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def part(page: str, heading: str) -> str:
    """What stands below a heading of the second level."""
    return page.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def test_pages_say_what_modules_declare(project: Path) -> None:
    pages = written(project)
    assert set(pages) == {
        "README.md", "events.md", "map.svg", "modules/loans.md", "modules/shelf.md", "playbook.md",
        "sagas.md",
    }  # fmt: skip
    shelf, loans = pages["modules/shelf.md"], pages["modules/loans.md"]
    provided = part(shelf, "Provides")
    assert "### `shelf.shelf.v2`" in provided
    assert "copies(*, isbn: Isbn) -> tuple[Copy, ...]" in provided
    for operation, lines in {
        "copies": (
            "kind: query",
            "repeated: freely",
            "at most 2 s",
            "called by: [loans](loans.md)",
        ),
        "take": ("kind: command", "runs once", "errors: `NoCopyLeft`", "[loans](loans.md)"),
        "dust": ("repeated: harmless", "errors: none", "called by: nobody"),
    }.items():
        told = provided.split(f"#### `{operation}`", 1)[1].split("\n#### ", 1)[0]
        assert [line for line in lines if line not in told] == []
    assert "| `NoCopyLeft` | 409 | Every copy of {isbn} is out. |" in provided
    assert "| `isbn` | `Isbn \\| None` | `None` |" in provided
    assert "| owner | team-stacks |" in shelf
    assert "[`parts.shelf`](../../../parts/shelf)" in shelf
    assert "| `shelf_volume` | `Volume` | A book \\| with a bar. |" in part(shelf, "Owns")
    assert "`shelf_volume_related`" in part(shelf, "Owns")
    assert "`isbn` | [loans](loans.md) |" in part(shelf, "Publishes")
    assert "| [shelf](shelf.md) | `shelf.shelf.v2` | `copies`, `take` |" in part(loans, "Requires")
    assert "the handler `count`" in part(loans, "Subscribes")
    assert "the saga `loans.lending` awaits it in `note`" in part(loans, "Subscribes")
    assert "loans.remind(*, reader: str, days: int = 3)" in part(loans, "Tasks")
    assert part(loans, "Settings").split("[The map]")[0].strip() == (
        '`LOANS["DAYS"]`, `LOANS_OPEN`.'
    )
    taken = part(pages["events.md"], "`shelf.copy_taken.v1`")
    for line in ("owned by team-stacks", "- key: `isbn`", "| `number` | `int` | `1` |"):
        assert line in taken
    lending = part(pages["sagas.md"], "loans.lending version 1")
    assert 's1{{"end<br>calls shelf.take<br>pivot"}}' in lending
    assert 's2[/"note<br>awaits CopyTaken<br>at most 1 day"/]' in lending
    assert 's1 -.->|"fails"| u0' in lending


_OURS = "https://github.com/monolift/monolift/blob/main/"


def test_pages_are_linked(project: Path) -> None:
    pages = written(project)
    folder = project / "docs" / "map"
    for name, text in pages.items():
        for target, place in re.findall(r"\]\(([^)#\s]*)(#[^)]*)?\)", text):
            page = (folder / name).parent / target if target else folder / name
            if target.startswith(_OURS):  # the library's own pages, from whatever project
                page = ROOT / target.removeprefix(_OURS)
            assert page.exists(), (name, target)
            if place:
                headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
                assert place in {anchor(heading) for heading in headings}, (name, target, place)


def test_contracts_are_linked_where_they_are(project: Path) -> None:
    assert "contracts/" not in written(project)["events.md"]
    events = project / "contracts" / "shelf" / "events"
    events.mkdir(parents=True)
    (events / "copy_taken.v1.json").write_text("{}", encoding="utf-8")
    name = "contracts/shelf/events/copy_taken.v1.json"
    assert f"[`{name}`](../../{name})" in written(project)["events.md"]


def test_a_stale_page_fails(project: Path) -> None:
    written(project)
    assert docs(project, "--check").returncode == 0
    page = project / "docs" / "map" / "events.md"
    current = page.read_text(encoding="utf-8")
    page.write_text(current.replace("A copy left", "A copy came to"), encoding="utf-8")
    outcome = docs(project, "--check")
    assert outcome.returncode == 1
    assert outcome.stdout.split() == ["docs/map/events.md"]
    assert "1 page is not current. Run `monolift docs` and commit docs/map." in outcome.stderr
    assert written(project)["events.md"] == current


def test_a_module_comes_and_goes(project: Path) -> None:
    before = written(project)
    add(project, "cafe", bare("cafe"))
    outcome = docs(project, "--check")
    assert outcome.returncode == 1
    new = ["docs/map/README.md", "docs/map/map.svg", "docs/map/modules/cafe.md"]
    assert outcome.stdout.split() == new
    pages = written(project)
    assert "team-new" in pages["modules/cafe.md"]
    assert "[cafe](modules/cafe.md) | team-new" in pages["README.md"]
    assert 'm_cafe["cafe<br>team-new"]' in pages["README.md"]
    assert 'id="m-cafe"' in pages["map.svg"]
    (project / "parts" / "cafe" / "apps.py").unlink()
    assert docs(project, "--check").stdout.split() == new
    assert written(project) == before


def test_pages_never_vary(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    pages = [written(project, PYTHONHASHSEED=seed) for seed in ("1", "2", "977")]
    assert pages[0] == pages[1] == pages[2]
    moved = tmp_path_factory.mktemp("elsewhere") / "project"
    project.rename(moved)
    assert docs(moved, "--check").returncode == 0
    assert str(project) not in "".join(pages[0].values())


def test_pages_of_another_folder(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("pages") / "some where"
    outcome = docs(project, "--check", "--to", str(folder))
    assert outcome.returncode == 1
    assert f"Run `monolift docs --to '{folder}'`" in outcome.stderr
    assert docs(project, "--to", str(folder)).returncode == 0
    assert docs(project, "--check", "--to", str(folder)).returncode == 0
    assert str(project) not in (folder / "modules" / "shelf.md").read_text(encoding="utf-8")


def test_a_page_of_somebody_else_stays(project: Path) -> None:
    page = project / "docs" / "map" / "README.md"
    page.parent.mkdir(parents=True)
    page.write_text("Mine.\n", encoding="utf-8")
    outcome = docs(project)
    assert outcome.returncode == 1
    assert f"{page} was not generated, so it is not replaced." in outcome.stderr
    assert page.read_text(encoding="utf-8") == "Mine.\n"
    assert list(page.parent.iterdir()) == [page]


def test_a_folder_that_cannot_be_written_is_named(project: Path) -> None:
    (project / "docs").write_text("", encoding="utf-8")
    outcome = docs(project)
    assert outcome.returncode == 1
    assert f"{project / 'docs'}" in outcome.stderr
    assert "--to" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_page_that_cannot_be_written_is_named(project: Path) -> None:
    page = project / "docs" / "map" / "events.md"
    page.mkdir(parents=True)
    outcome = docs(project)
    assert outcome.returncode == 1
    assert f"{page} cannot be written: Is a directory. Make it writable" in outcome.stderr


def test_without_modules_it_says_so(project: Path) -> None:
    for label in ("shelf", "loans"):
        (project / "parts" / label / "apps.py").unlink()
    outcome = docs(project)
    assert outcome.returncode == 1
    assert "No module is installed. Derive the AppConfig" in outcome.stderr
    assert not (project / "docs").exists()


def test_a_file_that_cannot_be_parsed_is_named(project: Path) -> None:
    broken = project / "parts" / "loans" / "pages.py"
    broken.write_text("def page(:\n", encoding="utf-8")
    outcome = docs(project)
    assert outcome.returncode == 1
    assert f"{broken}, line 1, cannot be read" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_the_picture_shows_every_arrow(project: Path) -> None:
    text = written(project)["map.svg"]
    tree = ET.fromstring(text)
    titles = [title.text for title in tree.iter("{http://www.w3.org/2000/svg}title")]
    assert "loans calls shelf: copies, take" in titles
    assert "shelf tells loans: CopyTaken" in titles
    assert "prefers-color-scheme: dark" in text
    assert "<script" not in text


def test_pages_of_this_repository_are_current() -> None:
    outcome = docs(ROOT, "--check")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
