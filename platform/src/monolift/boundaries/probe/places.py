"""Where a class, and what is assigned in its body, stands in the files."""

import ast
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

from monolift.boundaries.project import Project


class Places:
    """Finds the lines of loaded classes; each file is parsed once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._parsed: dict[str, _Lines] = {}

    def of(self, kind: type, name: str = "") -> tuple[str, int, type]:
        """(path, line, class) of a class, or of what it or a class above it assigns to a name."""
        for one in kind.__mro__ if name else ():
            if line := self._line(one, name):
                return self._path(one), line, one
        return self._path(kind), self._line(kind) or 1, kind

    def _line(self, kind: type, name: str = "") -> int:
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
        return self._lines(file).line(kind.__qualname__, name) if file else 0

    def _path(self, kind: type) -> str:
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
        return self._project.shown(Path(file).resolve()) if file else kind.__module__

    def _lines(self, file: str) -> "_Lines":
        if file not in self._parsed:
            self._parsed[file] = _Lines(Path(file))
        return self._parsed[file]


class _Lines:
    def __init__(self, path: Path) -> None:
        self._path = path

    def line(self, kind: str, name: str) -> int:
        """0 when it is not there."""
        return self._found.get((kind, name), 0)

    @cached_property
    def _found(self) -> dict[tuple[str, str], int]:
        try:
            tree: Any = ast.parse(self._path.read_bytes())
        except (OSError, SyntaxError, ValueError):
            return {}
        found: dict[tuple[str, str], int] = {}
        pending = [(tree, "")]
        while pending:
            node, outer = pending.pop()
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.ClassDef):
                    name = f"{outer}.{child.name}".lstrip(".")
                    found[name, ""] = child.lineno
                    pending.append((child, name))
                elif isinstance(child, ast.If | ast.Try):
                    pending.append((child, outer))
                elif isinstance(child, ast.Assign):
                    for target in child.targets:
                        if isinstance(target, ast.Name):
                            found[outer, target.id] = child.lineno
                elif isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
                    found[outer, child.target.id] = child.lineno
        return found
