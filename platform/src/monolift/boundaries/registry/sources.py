"""The files behind the loaded classes: parsed when asked for, each once."""

import ast
import sys
from pathlib import Path
from typing import Any

from monolift.boundaries.files import SourceFile, scan
from monolift.boundaries.project import Project


class Sources:
    """Syntax trees of a project's files, and where in them a class or name stands."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._trees: dict[Path, ast.Module | None] = {}
        self._files: list[SourceFile] | None = None
        self.named: dict[str, frozenset[str]] = {}
        """What `own_names` found, by the module's label."""

    @property
    def files(self) -> list[SourceFile]:
        """The Python files of the modules, without tests."""
        if self._files is None:
            self._files = scan(self.project).python
        return self._files

    def tree(self, path: Path) -> ast.Module | None:
        """The tree of a file; None when it cannot be read or parsed: other guards say so."""
        if path not in self._trees:
            try:
                self._trees[path] = ast.parse(path.read_bytes())
            except (OSError, SyntaxError, ValueError):
                self._trees[path] = None
        return self._trees[path]

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
        tree = self.tree(file) if file else None
        node: ast.AST | None = tree
        for part in kind.__qualname__.split("."):
            node = node and _class(node, part)
        if not isinstance(node, ast.ClassDef):
            return 0
        return _assigned(node, name) if name else node.lineno

    def definer(self, model: Any, name: str) -> tuple[Any, int]:
        """The class of a model's module, itself or an abstract one above, that assigns a name.

        The model itself at its own line where it was brought from elsewhere.
        """
        home = self.project.module_at(model.__module__)
        for kind in model.__mro__:
            if self.project.module_at(kind.__module__) is home and (line := self.line(kind, name)):
                return kind, line
        return model, self.line(model) or 1


def _class(parent: ast.AST, name: str) -> ast.ClassDef | None:
    """The class of that name in a body, in a condition too."""
    for child in ast.iter_child_nodes(parent):
        if isinstance(child, ast.ClassDef) and child.name == name:
            return child
        if isinstance(child, ast.If | ast.Try | ast.With) and (found := _class(child, name)):
            return found
    return None


def _assigned(kind: ast.ClassDef, name: str) -> int:
    for statement in ast.walk(kind):
        match statement:
            case ast.Assign(targets=targets, lineno=line):
                if any(isinstance(one, ast.Name) and one.id == name for one in targets):
                    return line
            case ast.AnnAssign(target=ast.Name(id=assigned), lineno=line) if assigned == name:
                return line
            case _:
                continue
    return 0
