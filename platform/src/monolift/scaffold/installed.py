"""Adds an app to the settings file, beside the apps that are there."""

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from monolift.scaffold.errors import ScaffoldError


class _Apps(NamedTuple):
    """A list or tuple that is assigned to a name of the settings."""

    name: str
    node: ast.List | ast.Tuple

    @property
    def entries(self) -> list[ast.Constant]:
        """Its strings."""
        return [
            one
            for one in self.node.elts
            if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ]

    @property
    def names(self) -> set[str]:
        """What its strings say."""
        return {str(one.value) for one in self.entries}


def install(source: str, *, package: str, siblings: Sequence[str], needed: Sequence[str]) -> str:
    """The settings with the app in its list. Everything else stays as it is written.

    The list is the one that names most of its siblings: by their dotted names, or by their last
    parts where the project puts a prefix before them; else INSTALLED_APPS itself. `needed` are apps
    that have to be there as well. Raises ScaffoldError when there is no such list.
    """
    found = list(_lists(ast.parse(source)))
    chosen, entry = _choose(found, package, siblings)
    everything = {name for one in found for name in one.names}
    installed = next((one for one in found if one.name == "INSTALLED_APPS"), None)
    missing = [name for name in needed if name not in everything]
    if chosen is None or (missing and installed is None):
        wanted = missing[0] if missing and chosen is not None else package
        raise ScaffoldError(
            f"The settings have no plain list of apps to put {wanted!r} into. Write "
            f"`INSTALLED_APPS = [...]` with the names in it, or add {wanted!r} yourself and say "
            "--no-settings."
        )
    source = _with(source, chosen, entry)
    for name in missing:  # the list is looked up anew, since the text has changed
        source = with_entry(source, name="INSTALLED_APPS", entry=name)
    return source


def with_entry(source: str, *, name: str, entry: str) -> str:
    """The text with one string more at the end of the list that is assigned to `name`."""
    return _with(source, next(one for one in _lists(ast.parse(source)) if one.name == name), entry)


def _lists(tree: ast.Module) -> Iterator[_Apps]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.List() | ast.Tuple() as value):
                yield _Apps(name, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.List() | ast.Tuple() as value):
                yield _Apps(name, value)
            case _:
                continue


def _choose(
    found: Sequence[_Apps], package: str, siblings: Sequence[str]
) -> tuple[_Apps | None, str]:
    last = {sibling.rpartition(".")[2] for sibling in siblings if "." in sibling}
    ranked: list[tuple[int, _Apps, str]] = [
        *((len(one.names & set(siblings)), one, package) for one in found),
        *((len(one.names & last), one, package.rpartition(".")[2]) for one in found),
    ]
    count, chosen, entry = max(ranked, key=lambda rank: rank[0], default=(0, None, ""))
    if count:
        return chosen, entry
    return next((one for one in found if one.name == "INSTALLED_APPS"), None), package


def _with(source: str, apps: _Apps, name: str) -> str:
    """The text with one string more behind the last one of the list."""
    lines = source.splitlines(keepends=True)
    if not apps.entries:
        opening = apps.node
        return _inserted(lines, opening.lineno, opening.col_offset + 1, f'"{name}", ')
    last = apps.entries[-1]
    line, column = last.end_lineno or last.lineno, last.end_col_offset or 0
    text = lines[line - 1].encode()
    alone = not text[: last.col_offset].strip() and last.lineno == line
    if not alone:
        return _inserted(lines, line, column, f', "{name}"')
    if not text[column:].lstrip().startswith(b","):
        lines[line - 1] = (text[:column] + b"," + text[column:]).decode()
    indent = text[: last.col_offset].decode()
    lines.insert(line, f'{indent}"{name}",\n')
    return "".join(lines)


def _inserted(lines: list[str], line: int, column: int, text: str) -> str:
    whole = lines[line - 1].encode()
    lines[line - 1] = (whole[:column] + text.encode() + whole[column:]).decode()
    return "".join(lines)
