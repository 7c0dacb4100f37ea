"""Calls of a module's interface from inside a loop, as the files show them.

A loop is a `for` or a comprehension: it asks for each of several things. A `while` asks page by
page, or once more after a refusal; if it asks too often, what is weighed shows it.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from monolift.boundaries.project import Project
from monolift.kernel import operations_of
from monolift.registry.modules import modules
from monolift.registry.proxies import binding_of


class Looped(NamedTuple):
    """A call in a loop."""

    operation: str
    place: str
    """`file:line`, relative to the project's folder."""


def looped(project: Project, label: str) -> list[Looped]:
    """Where other modules call it through `requires.py` once for each of several things."""
    found: list[Looped] = []
    for caller, module in modules().items():
        bound = _bound(f"{module.name}.requires", label)
        if caller == label or not bound:
            continue
        for file in sorted(Path(module.path).glob("**/*.py")):
            if "migrations" not in file.parts and file.name != "fakes.py":
                tree = _parsed(file)
                names = dict(_imported(tree, module.name, bound))
                calls = _calls(tree.body, names, inside=False) if names else ()
                shown = project.shown(file)
                found += [Looped(name, f"{shown}:{line}") for name, line in calls]
    return found


def _bound(requires: str, label: str) -> dict[str, Mapping[str, str]]:
    """Names in a `requires.py` that are proxies of the module: their operations by method."""
    proxies = {
        id(binding_of(interface).proxy): {
            method: operation.name for method, operation in operations_of(interface).items()
        }
        for interface in modules()[label].provides
    }
    loaded: Any = sys.modules.get(requires)
    return {
        name: proxies[id(value)]
        for name, value in (vars(loaded) if loaded else {}).items()
        if id(value) in proxies
    }


def _parsed(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes(), filename=str(file))
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])  # `monolift check` names it


def _imported(
    tree: ast.Module, package: str, bound: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == f"{package}.requires":
            for alias in node.names:
                if alias.name in bound:
                    yield alias.asname or alias.name, bound[alias.name]


def _calls(
    nodes: Iterable[ast.AST], names: Mapping[str, Mapping[str, str]], *, inside: bool
) -> Iterator[tuple[str, int]]:
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if (
                inside and method in names.get(name, {})
            ):
                yield names[name][method], node.lineno
        match node:
            case ast.For() | ast.AsyncFor():
                yield from _calls([node.iter], names, inside=inside)
                yield from _calls(node.body, names, inside=True)
                yield from _calls(node.orelse, names, inside=inside)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                first, *more = node.generators
                yield from _calls([first.iter], names, inside=inside)
                once = {id(first.iter)}
                rest = [
                    child
                    for generator in (first, *more)
                    for child in ast.iter_child_nodes(generator)
                    if id(child) not in once
                ]
                kept = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
                yield from _calls([*kept, *rest], names, inside=True)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from _calls(ast.iter_child_nodes(node), names, inside=False)
            case _:
                yield from _calls(ast.iter_child_nodes(node), names, inside=inside)
