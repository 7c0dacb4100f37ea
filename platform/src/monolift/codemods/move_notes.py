"""What a move leaves for a person: found in the files as the codemod leaves them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from monolift.codemods.references import Move
from monolift.codemods.tree import Tree


def rewrite_texts(tree: Tree, move: Move) -> None:
    """Rewrite what is certain in templates and fixtures: permissions, admin URLs, model names."""
    low = move.name.lower()
    codenames = "|".join(map(re.escape, move.codenames)) or "(?!)"
    admin = "changelist|add|history|delete|change|autocomplete"
    rules = {
        (".html", ".txt"): (
            (rf"\bperms\.{re.escape(move.old)}\.(?={codenames}\b)", f"perms.{move.new}."),
            (
                rf"""(?<=["'])(\w+:){re.escape(move.old)}_{low}_(?=(?:{admin})["'])""",
                rf"\g<1>{move.new}_{low}_",
            ),
        ),
        (".json",): (
            (rf'("model"\s*:\s*"){re.escape(move.old)}\.{low}(?=")', rf"\g<1>{move.new}.{low}"),
        ),
        (".yaml", ".yml"): (
            (
                rf"(?m)^(\s*-?\s*model:\s*[\"']?){re.escape(move.old)}\.{low}(?=[\"']?\s*$)",
                rf"\g<1>{move.new}.{low}",
            ),
        ),
        (".xml",): (
            (
                rf'(<object[^>]*\bmodel="){re.escape(move.old)}\.{low}(?=")',
                rf"\g<1>{move.new}.{low}",
            ),
        ),
    }
    for path in tree.texts():
        for suffixes, pairs in rules.items():
            if path.suffix in suffixes:
                text = tree.read(path)
                new = text
                for pattern, replacement in pairs:
                    new = re.sub(pattern, replacement, new)
                if new != text:
                    tree.write(path, new)


def note(tree: Tree, move: Move, *, table: str, renamed: bool, kept: frozenset[str]) -> None:
    """Note what was not rewritten; `kept` are names of indexes, which stay as they are."""
    low = move.name.lower()
    label, module = re.escape(move.old), "|".join(map(re.escape, move.old_modules))
    words = [rf"\b{label}\.{re.escape(move.name)}\b", rf"\b{label}_{low}_(?=\w|\{{|%)"]
    words.append(rf"\b(?:{module})\.{re.escape(move.name)}\b")
    words.append(rf"\b{label}/{low}(?=_|/)")
    if renamed:
        words.append(rf"\b{re.escape(table)}\b")
    pattern = re.compile("|".join(words), flags=re.IGNORECASE)
    for path in tree.python():
        text = tree.read(path)
        if move.name not in text and low not in text:
            continue
        for number, what in _in_python(
            tree.parse(path), pattern, move, tree.module(path), path, kept
        ):
            tree.note(path, number, what)
    for path in tree.texts():
        for number, line in enumerate(tree.read(path).splitlines(), start=1):
            if found := pattern.search(line):
                tree.note(path, number, f"{found.group()!r} names the model's old place")
        inside = f"/{path.as_posix()}"
        if re.search(rf"/templates/{label}/{low}(?:_\w+\.\w+$|/)", inside, re.IGNORECASE):
            tree.note(
                path,
                0,
                f"a template that Django finds by the model's app: move it to {move.new}/",
            )


def _in_python(
    tree: ast.Module,
    pattern: re.Pattern[str],
    move: Move,
    module: str,
    path: Path,
    kept: frozenset[str],
) -> Iterator[tuple[int, str]]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    docstrings = {
        id(line.value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        for line in node.body
        if isinstance(line, ast.Expr)
    }
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) in docstrings or node.value in kept:
                continue
            if found := pattern.search(node.value):
                table = found.group().lower() == f"{move.old}_{move.name.lower()}"
                what = "the old table" if table else "the model's old place"
                yield node.lineno, f"the string {node.value[:60]!r} names {what}"
        elif isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            parts = package.split(".")
            base = parts[: len(parts) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            if origin in move.old_modules and move.name in names:
                yield (
                    node.lineno,
                    (
                        f"`import *` brought {move.name}: add `from {move.new_module} import "
                        f"{move.name}`"
                    ),
                )
        elif isinstance(node, ast.Call) and len(node.args) >= 2:
            last = node.func.id if isinstance(node.func, ast.Name) else ""
            second = node.args[1]
            if last not in {"getattr", "setattr", "hasattr"}:
                continue
            if isinstance(second, ast.Constant) and second.value == move.name:
                yield node.lineno, f"`{last}` looks for {move.name} by its name"
