"""The committed snapshots are current, and `monolift contracts` says what a change breaks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monolift.contracts.rules import RULES

ROOT = Path(__file__).parents[2]

SETTINGS = """
SECRET_KEY = "x"
INSTALLED_APPS = ["monolift", "monolift.db", "shop.depot"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
"""
MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
APPS = """
from monolift import Module
from shop.depot.interface import Depot

class DepotModule(Module):
    name = "shop.depot"
    owner = "team-depot"
    provides = {Depot: "shop.depot.services.DepotService"}
"""
INTERFACE = """
from typing import Protocol
from monolift.kernel import Dto, Interface, query

class Shelf(Dto):
    label: str
    room: int = 1

class Depot(Interface, Protocol, version=1):
    @query(timeout=2)
    def shelf(self, *, label: str) -> Shelf: ...
"""
EVENTS = """
from uuid import UUID
from monolift.kernel import Event

class Stocked(Event, version=1, key="shelf"):
    shelf: UUID
    count: int
"""


class Project:
    """A small Django project in a folder of its own, with its own git history."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.put("settings.py", SETTINGS)
        self.put("manage.py", MANAGE)
        self.put("shop/__init__.py", "")
        self.put("shop/depot/__init__.py", "")
        self.put("shop/depot/apps.py", APPS)
        self.put("shop/depot/interface.py", INTERFACE)
        self.put("shop/depot/events.py", EVENTS)

    def put(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text
        self.put(path, text.replace(old, new))

    def git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(
            ["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True
        )

    def commit(self) -> None:
        if not (self.root / ".git").exists():
            self.git("init", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-m", "x")

    def contracts(self, *arguments: str, console: bool = False) -> tuple[int, str]:
        """The exit code and the output of `monolift contracts`; the console script on demand."""
        script = [Path(sys.executable).with_name("monolift")]
        manage = [sys.executable, "manage.py", "monolift"]
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DJANGO_", "MONOLIFT_", "GIT_"))
        }
        done = subprocess.run(
            [*(script if console else manage), "contracts", *arguments],
            cwd=self.root,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose snapshots are written, without git."""
    project = Project(tmp_path)
    code, output = project.contracts("write")
    assert (code, output) == (
        0,
        "contracts/depot/depot.v1.json\ncontracts/depot/events/stocked.v1.json\n",
    )
    return project


FIELD = ("shop/depot/events.py", "    count: int\n", "    count: int\n    room: int\n")
WITH_DEFAULT = ("shop/depot/events.py", "    count: int\n", "    count: int\n    room: int = 1\n")


def test_the_committed_snapshots_are_current() -> None:
    shop = Project.__new__(Project)
    shop.root = ROOT
    code, output = shop.contracts("check", console=True)
    assert code == 0, output


def test_equal(project: Project) -> None:
    code, output = project.contracts("check")
    assert code == 0
    assert output == "Compared with the files only: there is no git history here.\n"
    assert project.contracts("write") == (0, "")


def test_safe_but_not_written(project: Project) -> None:
    project.edit(*WITH_DEFAULT)
    code, output = project.contracts("check")
    assert code == 1
    assert "stocked.v1.json: SAFE: field room was added, 1.\n" in output
    assert "contracts/depot/events/stocked.v1.json is not up to date.\n" in output
    assert "Run `monolift contracts write` and commit the files.\n" in output


def test_breaking(project: Project) -> None:
    project.edit(*FIELD)
    code, output = project.contracts("check")
    assert code == 2
    assert "stocked.v1.json: BREAKING: field room was added without a default.\n" in output
    assert "Give the new field a default.\n" in output


def test_writing_does_not_hide_a_break_from_git(project: Project) -> None:
    project.commit()
    project.git("switch", "-c", "branch")
    project.edit(*FIELD)
    project.contracts("write")
    project.commit()
    code, output = project.contracts("check")
    assert code == 2
    assert "BREAKING: field room was added without a default." in output
    project.edit(FIELD[0], FIELD[2], WITH_DEFAULT[2])
    project.contracts("write")
    code, output = project.contracts("check")
    assert code == 0
    assert "SAFE: field room was added, 1." in output


def test_on_the_trunk_the_commit_before_is_compared_with(project: Project) -> None:
    project.commit()
    project.edit(*FIELD)
    project.contracts("write")
    project.commit()
    assert project.contracts("check")[0] == 2
    assert project.contracts("check", "--against", "HEAD")[0] == 0
    assert project.contracts("check", "--against", "HEAD~1")[0] == 2


def test_a_first_commit_has_nothing_before_it(project: Project) -> None:
    project.commit()
    assert project.contracts("check") == (0, "")


@pytest.mark.parametrize("checkout", ["push", "pull request", "trunk fetched alone"])
def test_a_shallow_clone_is_refused_until_it_has_the_history(
    project: Project, tmp_path_factory: pytest.TempPathFactory, checkout: str
) -> None:
    """As actions/checkout leaves it by default: one commit, and only the branch it is about."""
    project.commit()
    project.git("switch", "-c", "branch")
    project.edit(*FIELD)
    project.contracts("write")
    project.commit()
    if checkout == "push":
        project.git("branch", "-f", "main")
        project.git("switch", "main")
    clone = Project.__new__(Project)
    clone.root = tmp_path_factory.mktemp("clone")
    clone.git("init", "-b", "main" if checkout == "push" else "work")
    clone.git("remote", "add", "origin", project.root.as_uri())
    if checkout == "push":
        clone.git("fetch", "--depth=1", "origin", "+main:refs/remotes/origin/main")
        clone.git("reset", "--hard", "origin/main")
    else:
        clone.git("fetch", "--depth=1", "origin", "+branch:refs/remotes/pull/1/merge")
        clone.git("checkout", "--detach", "refs/remotes/pull/1/merge")
    if checkout == "trunk fetched alone":
        clone.git("fetch", "--depth=1", "origin", "+main:refs/remotes/origin/main")
    code, output = clone.contracts("check")
    assert code == 3
    assert "this clone is shallow" in output
    assert "`git fetch --unshallow` (in CI: fetch-depth: 0)" in output
    clone.git("fetch", "--unshallow", "origin")
    code, output = clone.contracts("check")
    assert code == 2, output
    assert "BREAKING: field room was added without a default." in output


def test_a_break_is_accepted_with_a_reason_once(project: Project) -> None:
    project.commit()
    project.git("switch", "-c", "branch")
    project.edit("shop/depot/events.py", "    count: int\n", "")
    project.contracts("write")
    code, output = project.contracts("check")
    assert code == 2
    entry = output[output.index("[[accepted]]") :]
    project.put("contracts/accepted.toml", entry)
    code, output = project.contracts("check")
    assert code == 3
    assert "contracts/accepted.toml: entry 1 has no reason. Add it." in output
    project.put("contracts/accepted.toml", entry.replace('""', '"Nobody reads it."'))
    code, output = project.contracts("check")
    assert code == 0
    assert "ACCEPTED: field count was removed.\n    Nobody reads it.\n" in output
    # What was accepted once is no permission for the next time.
    project.commit()
    project.git("branch", "-f", "main")
    project.git("switch", "-c", "again")
    project.edit(
        "shop/depot/events.py", "    shelf: UUID\n", "    shelf: UUID\n    count: int = 0\n"
    )
    project.contracts("write")
    project.commit()
    project.git("branch", "-f", "main")
    project.edit("shop/depot/events.py", "    count: int = 0\n", "")
    project.contracts("write")
    project.commit()
    code, output = project.contracts("check")
    assert code == 2, output


def test_an_entry_that_accepts_nothing_is_told(project: Project) -> None:
    project.commit()
    project.git("switch", "-c", "branch")
    project.put(
        "contracts/accepted.toml",
        '[[accepted]]\ncontract = "a.json"\nchange = "b was removed"\nreason = "c"\n',
    )
    code, output = project.contracts("check")
    assert code == 1
    assert "contracts/accepted.toml: a.json: 'b was removed' is no breaking change" in output


def test_a_removed_module_is_removed_from_the_files(project: Project) -> None:
    project.put("contracts/depot/note.json", '{"not": "ours"}')
    project.put("shop/depot/events.py", "")
    code, output = project.contracts("check")
    assert code == 2
    assert "BREAKING: the event depot.stocked.v1 was removed." in output
    assert project.contracts("write")[1] == "contracts/depot/events/stocked.v1.json\n"
    assert (project.root / "contracts/depot/note.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "--against", "nowhere"], "'nowhere' is no commit here"),
        (["look"], "invalid choice: 'look'"),
        ([], "required: ACTION"),
        (["check", "--bogus"], "--bogus"),
    ],
    ids=["unknown commit", "unknown action", "no action", "unknown option"],
)
def test_a_wrong_command_line(project: Project, arguments: list[str], words: str) -> None:
    for console in (True, False):
        code, output = project.contracts(*arguments, console=console)
        assert words in output
        assert code == 3


def test_a_broken_file_is_named(project: Project) -> None:
    project.put("contracts/depot/depot.v1.json", "<<<<<<< HEAD\n")
    code, output = project.contracts("check")
    assert code == 3
    assert "contracts/depot/depot.v1.json, line 1, is not JSON" in output


def test_the_guide_lists_every_kind_of_change() -> None:
    guide = (ROOT / "docs/guides/contracts.md").read_text(encoding="utf-8")
    _, table = guide.split("| Change | Verdict | Why |\n|---|---|---|\n")
    assert table == "".join(
        f"| {rule.change} | {rule.verdict} | {rule.why} |\n" for rule in RULES.values()
    )
