"""What a move leaves for a person: found in the files as the codemod leaves them."""

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from monolift.codemods.references import PAIRS, Move
from monolift.codemods.tree import Tree

_LABEL = re.compile(r"(?:^|__)app_label(?:$|__)")
_MODEL = re.compile(r"(?:^|__)model(?:_name)?(?:$|__)")


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
    words.append(rf"\b{label}\.(?:{'|'.join(map(re.escape, move.codenames)) or '(?!)'})\b")
    words.append(rf"""(?<=["']){label}["']\s*,\s*["']{low}(?=["'])""")
    if renamed:
        words.append(rf"\b{re.escape(table)}\b")
    pattern = re.compile("|".join(words), flags=re.IGNORECASE)
    for path in tree.python():
        text = tree.read(path)
        if move.name not in text and low not in text:
            continue
        for number, what, sure in _in_python(
            tree.parse(path), pattern, move, tree.module(path), path, kept
        ):
            tree.note(path, number, what, sure=sure)
    for path in tree.texts():
        for number, line in enumerate(tree.read(path).splitlines(), start=1):
            if found := pattern.search(line):
                what = f"{found.group()!r} names the model's old place"
                tree.note(path, number, what, sure=_sure(found, move))
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
) -> Iterator[tuple[int, str, bool]]:
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
                shown = f"the string {node.value[:60]!r} names {what}"
                yield node.lineno, shown, _sure(found, move)
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
                    True,
                )
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            second = node.args[1] if len(node.args) > 1 else None
            if name in {"getattr", "setattr", "hasattr"} and _says(second, move.name):
                yield node.lineno, f"`{name}` looks for {move.name} by its name", True
        yield from _apart(node, move)


def _sure(found: re.Match[str], move: Move) -> bool:
    """False for `shop.stock`, which may be a logger, a queue or a module."""
    text = found.group()
    return text == f"{move.old}.{move.name}" or text.lower() != f"{move.old}.{move.name}".lower()


def _says(node: ast.AST | None, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def _apart(node: ast.AST, move: Move) -> Iterator[tuple[int, str, bool]]:
    """Places where the label of the app and the name of the model stand apart."""
    if isinstance(node, ast.Dict):
        keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
        given = [(str(key), value) for key, value in zip(keys, node.values, strict=True) if key]
        if _by_keys(given, move):
            yield node.lineno, "the dictionary names the model's old place", True
    elif isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if _by_keys([(word.arg or "", word.value) for word in node.keywords], move):
            yield node.lineno, f"`{name}(...)` names the model's old place", True
        elif name in PAIRS:
            if _asks(node, move):
                yield node.lineno, f"`{name}` asks for {move.name} by its name", True
        elif _beside(node.args, move):
            yield node.lineno, f"`{name}(...)` has {move.old!r} and the model's name", False
    elif isinstance(node, (ast.Tuple, ast.List)) and _beside(node.elts, move):
        yield node.lineno, f"{move.old!r} and the model's name stand side by side", False


def _by_keys(given: Sequence[tuple[str, ast.expr]], move: Move) -> bool:
    """True when what is called app_label is the old app, and what is called model the model."""
    labels = any(
        _says(part, move.old)
        for name, value in given
        if _LABEL.search(name)
        for part in ast.walk(value)
    )
    return labels and any(
        _is_name(part, move)
        for name, value in given
        if _MODEL.search(name)
        for part in ast.walk(value)
    )


def _asks(node: ast.Call, move: Move) -> bool:
    """True for a call that asks for a model of that name, and not certainly of another app."""
    words = {word.arg: word.value for word in node.keywords}
    given = [*node.args, *(words[key] for key in ("app_label", "model_name") if key in words)]
    if not any(_is_name(part, move) for part in given):
        return False
    label = next((part for part in given if not _is_name(part, move)), None)
    asked = node.func.value if isinstance(node.func, ast.Attribute) else None
    if label is None and isinstance(asked, ast.Call) and asked.args:
        label = asked.args[0]  # get_app_config("shop").get_model("Stock")
    return not isinstance(label, ast.Constant) or label.value == move.old


def _beside(nodes: Sequence[ast.expr], move: Move) -> bool:
    return any(
        _says(first, move.old) and _is_name(second, move) for first, second in pairwise(nodes)
    )


def _is_name(node: ast.AST, move: Move) -> bool:
    text = node.value if isinstance(node, ast.Constant) else None
    return isinstance(text, str) and text.lower() == move.name.lower()
