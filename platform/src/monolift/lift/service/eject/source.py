"""The files of a project by the dotted names that import them."""

import ast
from collections.abc import Iterator
from pathlib import Path

from monolift.lift.service.errors import ServiceError


class Source:
    """A project's folder, read only."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, dotted: str) -> Path | None:
        """The file that a dotted name imports, relative to the folder; None for anything else."""
        base = Path(*dotted.split("."))
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if (self.root / path).is_file():
                return path
        return None

    def longest(self, dotted: str) -> Path | None:
        """The file that the longest beginning of a dotted name imports: a class's, a function's."""
        while "." in dotted:
            found = self.file(dotted)
            if found is not None:
                return found
            dotted = dotted.rpartition(".")[0]
        return None

    def packages(self, path: Path) -> Iterator[Path]:
        """The `__init__.py` of each folder that a file is in, as far as there are any."""
        for folder in path.parents:
            init = folder / "__init__.py"
            if folder != Path() and (self.root / init).is_file():
                yield init

    def below(self, folder: Path) -> Iterator[Path]:
        """Every file in a folder, but for what running it left there."""
        for path in sorted((self.root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
                yield path.relative_to(self.root)

    def text(self, path: Path) -> str:
        """What a file says."""
        return (self.root / path).read_text(encoding="utf-8")


def parsed(text: str, path: Path) -> ast.Module:
    """The syntax tree of a file. Raises ServiceError, which names the line."""
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise ServiceError(f"{path}:{error.lineno}: {error.msg}. Correct it first.") from None


def imports(tree: ast.Module, path: Path, *, everywhere: bool) -> Iterator[str]:
    """The dotted names that the file at `path` imports: when it is loaded, or `everywhere` in it.

    Of `from a import b` both `a` and `a.b`, since nobody can tell a module from a name in it. What
    is imported for annotations only is not loaded.
    """
    for node in _nodes(tree, everywhere=everywhere):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(names=names) if base := imported_from(node, path):
                yield base
                yield from (f"{base}.{one.name}" for one in names)
            case _:
                continue


def imported_from(node: ast.ImportFrom, path: Path) -> str:
    """What `from` names in the file at `path`, also relative to it; empty for what is outside."""
    package = path.parent.parts
    if node.level > len(package):
        return ""
    above = package[: len(package) - node.level + 1] if node.level else ()
    return ".".join((*above, *([node.module] if node.module else ())))


def _nodes(tree: ast.Module, *, everywhere: bool) -> Iterator[ast.AST]:
    pending: list[ast.AST] = [*tree.body]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not everywhere:
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
            continue
        pending += ast.iter_child_nodes(node)


def strings(tree: ast.Module) -> Iterator[str]:
    """The strings of a file that could be dotted names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = node.value.split(".")
            if len(parts) > 1 and all(part.isidentifier() for part in parts):
                yield node.value
