"""The files of a project, and what a codemod makes of them."""

import ast
import difflib
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from monolift.codemods.errors import CodemodError

_FOREIGN = frozenset(
    ("__pycache__", "build", "dist", "node_modules", "site-packages", "venv", "env")
)
_TEXTS = frozenset(
    (".cfg", ".html", ".ini", ".json", ".sql", ".toml", ".txt", ".xml", ".yaml", ".yml")
)
_LARGEST = 2_000_000  # bytes; what is larger is data, and nobody writes it by hand


class Note(NamedTuple):
    """Something a person has to look at."""

    path: Path
    line: int
    """The line in the file as the codemod leaves it; 0 for a whole file."""
    text: str
    sure: bool = True
    """The file is about what changed; otherwise only a name is the same."""


class Tree:
    """The files below a folder, without virtual environments and what is hidden."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._original: dict[Path, str] = {}
        self._new: dict[Path, str] = {}
        self.notes: list[Note] = []
        self._broken: set[Path] = set()

    @cached_property
    def _all(self) -> list[Path]:
        return sorted(self._below(self.root))

    def _below(self, folder: Path) -> Iterator[Path]:
        for entry in folder.iterdir():
            if entry.is_symlink() or entry.name.startswith("."):
                continue
            if entry.is_dir():
                if entry.name not in _FOREIGN and not (entry / "pyvenv.cfg").exists():
                    yield from self._below(entry)
            elif entry.stat().st_size <= _LARGEST:
                yield entry

    @cached_property
    def _roots(self) -> list[Path]:
        """The folders first-party packages lie in, the deepest first."""
        from django.apps import apps

        found = {self.root}
        for config in apps.get_app_configs():
            path = Path(config.path).resolve()
            depth = config.name.count(".") + 1
            if path.is_relative_to(self.root) and len(path.parts) > depth:
                found.add(path.parents[depth - 1])
        return sorted(
            (folder for folder in found if folder.is_relative_to(self.root)),
            key=lambda folder: -len(folder.parts),
        )

    def holds(self, path: str | Path) -> bool:
        """True for a file or folder that belongs to the project."""
        resolved = Path(path).resolve()
        if not resolved.is_relative_to(self.root):
            return False
        here = self.root
        for part in resolved.relative_to(self.root).parts:
            here /= part
            if part in _FOREIGN or part.startswith(".") or (here / "pyvenv.cfg").exists():
                return False
        return True

    def module(self, path: Path) -> str:
        """The dotted name under which a Python file is imported."""
        folder = next(root for root in self._roots if path.is_relative_to(root))
        parts = list(path.relative_to(folder).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        return ".".join(parts)

    def python(self) -> list[Path]:
        """The Python files but migrations, which tell what was."""
        return [path for path in self._all if path.suffix == ".py" and not is_migration(path)]

    def migrations(self) -> list[Path]:
        """The files of migrations."""
        return [path for path in self._all if path.suffix == ".py" and is_migration(path)]

    def texts(self) -> list[Path]:
        """Templates, fixtures, configuration."""
        return [path for path in self._all if path.suffix in _TEXTS]

    def read(self, path: Path) -> str:
        """The text of a file, with what was changed so far; empty when it is not UTF-8."""
        if path in self._new:
            return self._new[path]
        if path not in self._original:
            try:
                self._original[path] = path.read_bytes().decode("utf-8")
            except FileNotFoundError:
                return ""
            except UnicodeDecodeError:
                if path.suffix == ".py":
                    self.note(path, 0, "is not UTF-8, and was not looked at")
                self._original[path] = ""
        return self._original[path]

    def write(self, path: Path, text: str) -> None:
        """Keep a new text; nothing reaches the disk before `save`."""
        if path.exists():
            self.read(path)
        self._new[path] = text

    def note(self, path: Path, line: int, text: str, *, sure: bool = True) -> None:
        """Tell a person to look at a line."""
        self.notes.append(Note(path, line, text, sure))

    def changed(self) -> list[Path]:
        """The files that differ from the disk."""
        return sorted(path for path, text in self._new.items() if text != self._original.get(path))

    def shown(self, path: Path) -> str:
        """A path as it is printed."""
        resolved = path.resolve()
        inside = resolved.is_relative_to(self.root)
        return (resolved.relative_to(self.root) if inside else resolved).as_posix()

    def diff(self) -> Iterator[str]:
        """The lines of a unified diff of all changes."""
        for path in self.changed():
            name = self.shown(path)
            new = path not in self._original
            yield from difflib.unified_diff(
                self._original.get(path, "").splitlines(),
                self._new[path].splitlines(),
                "/dev/null" if new else f"a/{name}",
                f"b/{name}",
                lineterm="",
            )

    def save(self) -> None:
        """Write every change to the disk."""
        for path in self.changed():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Replaced, not written into: installers link one file into many environments.
            fresh = path.with_name(f".{path.name}.monolift")
            fresh.write_bytes(self._new[path].encode("utf-8"))
            if path.exists():
                shutil.copymode(path, fresh)
            fresh.replace(path)

    def refuse_unsaved(self) -> None:
        """Raise CodemodError when a file to be rewritten has changes that git does not have."""
        existing = [path for path in self.changed() if path in self._original]
        try:
            done = subprocess.run(
                ["git", "status", "--porcelain", "--", *map(str, existing)],
                cwd=self.root,
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            done = None
        if done is None or done.returncode:
            raise CodemodError(
                f"{self.root} is in no git repository, so there is no way back. Commit it first, "
                "or say --force."
            )
        if lines := done.stdout.splitlines():
            raise CodemodError(
                f"{lines[0][3:]} has changes that are not committed"
                + (f", and {len(lines) - 1} files more" if lines[1:] else "")
                + ". Commit or stash them, or say --force."
            )

    def parse(self, path: Path) -> ast.Module:
        """The syntax tree of a file as it will be; an empty one, and a note, when it is broken."""
        try:
            return ast.parse(self.read(path))
        except SyntaxError as error:
            if path not in self._broken:
                self._broken.add(path)
                what = f"is no valid Python ({error.msg}), and was not looked at"
                self.note(path, error.lineno or 0, what)
            return ast.Module(body=[], type_ignores=[])

    def valid(self, path: Path) -> bool:
        """True for a file that can be parsed."""
        self.parse(path)
        return path not in self._broken


def is_migration(path: Path) -> bool:
    """True for a file in a package of migrations."""
    return path.parent.name == "migrations" or bool(
        re.search(r"_migrations$", path.parent.name) and re.match(r"\d{4}_|__init__", path.name)
    )
