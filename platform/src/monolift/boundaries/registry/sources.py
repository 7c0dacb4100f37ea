"""The files behind the loaded classes, parsed when asked for."""

import ast
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from monolift.boundaries.files import SourceFile, scan
from monolift.boundaries.first_party import is_first_party
from monolift.boundaries.imported_tests import ImportedTests, may_import_a_test
from monolift.boundaries.project import Project
from monolift.boundaries.references import Reference, Unreadable, references

_KEPT = 64
"""How many trees are kept: all those of a large project take more memory than its models."""


class Sources:
    """Syntax trees of a project's files, and where in them a class or name stands."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._parsed = lru_cache(maxsize=_KEPT)(_parsed)
        self._lines: dict[Path, dict[tuple[str, str], int]] = {}
        self._first_party: dict[str, bool] = {}
        self._files: list[SourceFile] | None = None
        self.named: dict[str, frozenset[str]] = {}
        """What `own_names` found, by the module's label."""

    @property
    def files(self) -> list[SourceFile]:
        """The Python files of the modules, without tests that none of them imports."""
        if self._files is None:
            files = scan(self.project)
            self._files = files.python
            tests = ImportedTests(files)
            for file in self._files if files.tests else ():
                self._files += tests.named_by(_naming_tests(self.project, file))
        return self._files

    def tree(self, path: Path) -> ast.Module | None:
        """The tree of a file; None when it cannot be read or parsed: other guards say so."""
        return self._parsed(path)

    def file_of(self, module: str) -> Path | None:
        """The file of a loaded module."""
        file = getattr(sys.modules.get(module), "__file__", None)
        return Path(file).resolve() if file else None

    def shown(self, module: str) -> str:
        """The file of a loaded module as messages show it."""
        file = self.file_of(module)
        return self.project.shown(file) if file else module

    def line(self, kind: Any, name: str = "") -> int:
        """The line of a class, or of what its body assigns to a name; 0 when it is not there."""
        file = self.file_of(kind.__module__)
        if file is None:
            return 0
        if file not in self._lines:
            tree = self.tree(file)
            self._lines[file] = _assigned(tree) if tree else {}
        return self._lines[file].get((kind.__qualname__, name), 0)

    def definer(self, model: Any, name: str) -> tuple[Any, int]:
        """The class of a model's module, itself or an abstract one above, that assigns a name.

        The model itself at its own line where it was brought from elsewhere.
        """
        home = self.project.module_at(model.__module__)
        for kind in model.__mro__:
            if self.project.module_at(kind.__module__) is home and (line := self.line(kind, name)):
                return kind, line
        return model, self.line(model) or 1

    def writer(self, model: Any, name: str) -> tuple[Any, int]:
        """The class of the project, in whatever module or in none, that assigns a name.

        The model itself at its own line where an installed package brought it.
        """
        for kind in model.__mro__:
            if self._is_of_project(kind) and (line := self.line(kind, name)):
                return kind, line
        return model, self.line(model) or 1

    def _is_of_project(self, kind: Any) -> bool:
        name = kind.__module__
        if name not in self._first_party:
            file = self.file_of(name)
            self._first_party[name] = self.project.module_at(name) is not None or (
                file is not None and any(is_first_party(file, root) for root in self.project.roots)
            )
        return self._first_party[name]


def _naming_tests(project: Project, file: SourceFile) -> list[Reference]:
    try:
        content = (project.root / file.path).read_bytes()
        if not may_import_a_test(content):
            return []
        return references(file, content, packages=project.top_packages)
    except (OSError, Unreadable):
        return []


def _parsed(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _assigned(tree: ast.Module) -> dict[tuple[str, str], int]:
    """Lines by class and name: of the class itself for no name, else of what its body assigns."""
    found: dict[tuple[str, str], int] = {}
    pending: list[tuple[ast.AST, str]] = [(tree, "")]
    while pending:
        node, outer = pending.pop()
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.ClassDef(name=name, lineno=line):
                    kind = f"{outer}.{name}".lstrip(".")
                    found.setdefault((kind, ""), line)
                    pending.append((child, kind))
                case ast.If() | ast.Try() | ast.With() | ast.ExceptHandler():
                    pending.append((child, outer))
                case ast.Assign(targets=targets, lineno=line):
                    for target in targets:
                        if isinstance(target, ast.Name):
                            found.setdefault((outer, target.id), line)
                case ast.AnnAssign(target=ast.Name(id=name), lineno=line):
                    found.setdefault((outer, name), line)
                case _:
                    continue
    return found
