"""What the names of a file stand for."""

import ast
from collections.abc import Mapping


def imported_names(tree: ast.AST, module: str, *, package: bool = False) -> dict[str, str]:
    """Dotted names by the names that import statements in a tree bind.

    `module` is the dotted name of the file, which relative imports start from; `package` says that
    it is an `__init__.py`.
    """
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    top = alias.name.partition(".")[0]
                    found[alias.asname or top] = alias.name if alias.asname else top
            case ast.ImportFrom(module=source, names=names, level=level):
                if level:
                    parts = module.split(".")
                    up = level - 1 if package else level
                    base = ".".join(parts[: len(parts) - up])
                    source = f"{base}.{source}" if source else base
                for alias in names:
                    found[alias.asname or alias.name] = f"{source}.{alias.name}"
            case _:
                continue
    return found


def absolute(name: str, *, package: str) -> str:
    """The dotted name that one with dots before it means, seen from a package."""
    rest = name.lstrip(".")
    up = len(name) - len(rest)
    if not up:
        return name
    parts = package.split(".")
    return ".".join([*parts[: max(len(parts) - up + 1, 0)], *((rest,) if rest else ())])


def dotted(node: ast.AST, names: Mapping[str, str]) -> str:
    """The absolute dotted name of an expression by what `names` stand for; empty for none."""
    match node:
        case ast.Name(id=name):
            return names.get(name, "")
        case ast.Attribute(value=value, attr=attr):
            base = dotted(value, names)
            return f"{base}.{attr}" if base else ""
        case _:
            return ""
