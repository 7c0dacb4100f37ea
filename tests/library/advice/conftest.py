"""A project in a git repository of its own, whose modules have the names of installed ones."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pytest_django import Settings

from monolift.kernel import clock
from monolift.lift.advice import evidence
from monolift.lift.advice.evidence import Drill
from monolift.lift.advice.material import Material
from monolift.observe.seen import Seen, folder

MODULES = ("inventory", "orders", "pricing", "payments")


class Repository:
    """A project with some commits."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")
        self.number = 0

    def git(self, *arguments: str, **more: str) -> str:
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            **more,
        }
        done = subprocess.run(
            ["git", "-C", str(self.root), *arguments],
            env=env,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(
        self,
        *paths: str,
        days_ago: float = 10,
        author: str = "one",
        message: str = "Change",
        files: Mapping[str, str] | None = None,
    ) -> str:
        """Change some files; those of `files` get its texts."""
        self.number += 1
        texts = dict.fromkeys(paths, f"# {self.number}\n") | dict(files or {})
        for path, text in texts.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        at = (clock.now() - timedelta(days=days_ago)).isoformat()
        who = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", author), ("EMAIL", f"{author}@x.example"), ("DATE", at))
        }
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message, **who)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    found = Repository(root)
    files = {f"modules/{name}/__init__.py": "" for name in MODULES}
    files["pyproject.toml"] = '[tool.monolift]\nmodules = ["modules.*"]\n'
    # Older than every span, and of no module: a mass edit.
    files |= {f"filler/{number}.txt": "" for number in range(40)}
    found.commit(files=files, days_ago=400)
    return found


@pytest.fixture
def measured(repository: Repository, settings: Settings, tmp_path: Path) -> Callable[..., Material]:
    """Makes the material of the project, with what processes have seen and changed thresholds."""

    def make(seen: Seen | None = None, limits: Mapping[str, Any] | None = None, **more: Any) -> Any:
        settings.MONOLIFT = {
            **settings.MONOLIFT,
            "DATA": tmp_path / "var",
            "ADVICE": dict(limits or {}),
        }
        if seen is not None:
            seen.until = seen.until or clock.now().timestamp()
            folder().mkdir(parents=True, exist_ok=True)
            (folder() / "1-1.json").write_bytes(msgspec.json.encode(seen))
        return Material(**more)

    return make


@pytest.fixture
def drilled() -> Iterator[Callable[..., None]]:
    """Records drills."""
    known: list[Drill] = []

    def source(_: str) -> list[Drill]:
        return known

    def record(
        kind: evidence.Kind, *, days_ago: float = 1, passed: bool = True, **more: Any
    ) -> None:
        at: datetime = clock.now() - timedelta(days=days_ago)
        known.append(Drill(kind=kind, at=at, passed=passed, **more))

    evidence.provide(source)
    yield record
    evidence.withdraw(source)
