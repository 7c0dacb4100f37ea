"""What in a syntax tree means Django's default database, and what to write instead."""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from monolift.boundaries.bindings import dotted

WAYS_OUT = {
    "transaction": "Write `from monolift import atomic` and `with atomic():`.",
    "connection": "Use a queryset, or `connections[Model.objects.db]` for a statement by hand.",
    "DEFAULT_DB_ALIAS": "Ask the model: `Model.objects.db` is the alias of this module.",
    "default": "Ask the model: `connections[Model.objects.db]` follows this module.",
    "using": "Leave it out: `ModuleRouter` knows the module's database.",
    "*": "Name what you need of it: `from django.db import models`.",
}
_NAMES = frozenset(("transaction", "connection", "DEFAULT_DB_ALIAS"))
_CHOOSING = frozenset(("using", "db_manager"))
"""Methods of managers and querysets that are given an alias."""


Named = tuple[int, str, str]
"""(line, name as written, key of WAYS_OUT)."""


def names_of_the_default_database(node: ast.AST, names: Mapping[str, str]) -> Iterable[Named]:
    """What one node of a tree names.

    `names` holds the dotted names behind those that the file's imports have bound.
    """
    read = _READERS.get(type(node))
    return read(node, names) if read is not None else ()


def _from(node: ast.ImportFrom, names: Mapping[str, str]) -> Iterator[Named]:
    imported = {alias.name for alias in node.names}
    match node.module:
        case "django.db":
            for alias in node.names:
                if alias.name in _NAMES or alias.name == "*":
                    yield alias.lineno, f"django.db.{alias.name}", alias.name
        case "django.db.utils" if "DEFAULT_DB_ALIAS" in imported:
            yield node.lineno, "django.db.DEFAULT_DB_ALIAS", "DEFAULT_DB_ALIAS"
        # The mark on a view takes it out of ATOMIC_REQUESTS, and opens nothing itself.
        case "django.db.transaction" if imported != {"non_atomic_requests"}:
            yield node.lineno, "django.db.transaction", "transaction"
        case "django" if "db" in imported:
            yield node.lineno, "django.db", "transaction"
        case _:
            pass


def _import(node: ast.Import, names: Mapping[str, str]) -> Iterator[Named]:
    if any(alias.name == "django.db.transaction" for alias in node.names):
        yield node.lineno, "django.db.transaction", "transaction"


def _attribute(node: ast.Attribute, names: Mapping[str, str]) -> Iterable[Named]:
    if node.attr in _NAMES and dotted(node.value, names) == "django.db":
        return ((node.lineno, f"django.db.{node.attr}", node.attr),)
    return ()


def _subscript(node: ast.Subscript, names: Mapping[str, str]) -> Iterable[Named]:
    if _is_default(node.slice) and (
        _last(node.value) == "connections" or dotted(node.value, names) == "django.db.connections"
    ):
        return ((node.lineno, 'connections["default"]', "default"),)
    return ()


def _call(node: ast.Call, names: Mapping[str, str]) -> Iterable[Named]:
    function = _last(node.func)
    if function in _CHOOSING and any(
        _is_default(value)
        for value in (
            *node.args[:1],
            *(word.value for word in node.keywords if word.arg == "alias"),
        )
    ):
        return ((node.lineno, f'{function}("default")', "using"),)
    for word in node.keywords:
        if word.arg == "using" and _is_default(word.value):
            return ((node.lineno, 'using="default"', "using"),)
    return ()


_READERS: Mapping[type[ast.AST], Callable[[Any, Mapping[str, str]], Iterable[Named]]] = {
    ast.ImportFrom: _from,
    ast.Import: _import,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Call: _call,
}


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_default(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == "default"
