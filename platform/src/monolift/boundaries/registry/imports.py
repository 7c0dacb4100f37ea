"""What the names of a file stand for."""

import ast


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
