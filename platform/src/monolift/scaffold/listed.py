"""Adds a module to those that pyproject.toml lists, so that the guards see it."""

import ast
import contextlib
import re
import tomllib
from typing import Any

from monolift.scaffold.errors import ScaffoldError
from monolift.scaffold.installed import with_entry

_TABLE = re.compile(r"^\[tool\.monolift\][ \t]*(?:#.*)?\r?$", re.MULTILINE)
_BELOW = re.compile(r"^\[tool\.monolift\..+\]", re.MULTILINE)


def list_module(text: str, *, package: str) -> str:
    """The file with the package among `modules`; as it is when a pattern there names it already.

    A project that lists no modules keeps it so. Comments stay. Raises ScaffoldError when `modules`
    is written in a way that cannot be added to.
    """
    table = _table(text)
    modules = table.get("modules", [])
    if not table.keys() & {"modules", "groups"} or any(_names(one, package) for one in modules):
        return text
    wanted = {**table, "modules": [*modules, package]}
    written = _added(text, package) if modules else _begun(text, package)
    with contextlib.suppress(tomllib.TOMLDecodeError):
        if _table(written) == wanted:
            return written
    raise ScaffoldError(
        f"pyproject.toml has no plain list to put {package!r} into. Write "
        '`modules = ["orders", "billing"]` at the start of a line under [tool.monolift].'
    )


def _table(text: str) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(text).get("tool", {}).get("monolift", {})
    return table


def _names(pattern: str, package: str) -> bool:
    """Whether a pattern of [tool.monolift] names a package."""
    stem, star, _ = pattern.partition("*")
    return stem.rstrip(".") == package.rpartition(".")[0] if star else pattern == package


def _added(text: str, package: str) -> str:
    """With one more in the list, which is written as Python would write it too."""
    if not (table := _TABLE.search(text)):
        return ""
    lines = text[table.end() :].splitlines(keepends=True)
    first = next((n for n, line in enumerate(lines) if re.match(r"modules\s*=", line)), len(lines))
    for last in range(first + 1, len(lines) + 1):
        written = "".join(lines[first:last])
        try:
            ast.parse(written)
        except SyntaxError:
            continue
        added = with_entry(written, name="modules", entry=package)
        return text[: table.end()] + "".join([*lines[:first], added, *lines[last:]])
    return ""


def _begun(text: str, package: str) -> str:
    """With a list of one, where there were groups only."""
    line = f'modules = ["{package}"]\n'
    if table := _TABLE.search(text):
        return f"{text[: table.end()]}\n{line.rstrip()}{text[table.end() :]}"
    if below := _BELOW.search(text):
        return f"{text[: below.start()]}[tool.monolift]\n{line}\n{text[below.start() :]}"
    return ""
