"""Migrations that wait for migrations of another module."""

import ast
from collections.abc import Iterator
from typing import Any

from django.db.migrations.loader import MigrationLoader

from monolift.boundaries.registry import rules
from monolift.boundaries.registry.graph import ModelGraph
from monolift.boundaries.registry.sources import Sources
from monolift.boundaries.violations import Violation


def migrations_on_disk() -> list[tuple[str, Any]]:
    """(label of the app, migration) in order, read without a database.

    The graph is not built: histories that do not fit together are Django's to refuse.
    """
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    found: dict[tuple[str, str], Any] = loader.disk_migrations
    return [(app, migration) for (app, _), migration in sorted(found.items())]


def dependency_violations(graph: ModelGraph, sources: Sources) -> Iterator[Violation]:
    """`dependencies` and `run_before` that name an app of another module.

    Each pair of apps once, at its first migration: the order between two histories goes away with
    the relation that made it and a squash, not migration by migration.
    """
    seen: set[tuple[str, str, str]] = set()
    for app, migration in migrations_on_disk():
        module = graph.module_of_app(app)
        if module is None:
            continue
        for attribute in ("dependencies", "run_before"):
            for dependency in getattr(migration, attribute):
                other, name = dependency[0], dependency[1]
                owner = graph.module_of_app(other)
                if owner is None or owner.label == module.label:
                    continue
                if (app, other, attribute) in seen:
                    continue
                seen.add((app, other, attribute))
                what = "waits for" if attribute == "dependencies" else "must run before"
                yield Violation(
                    module=module.label,
                    owner=module.owner,
                    rule=rules.MIGRATION_DEPENDENCY,
                    source=migration.__module__.rpartition(".")[0],
                    target=f"{other}.{attribute}",
                    path=sources.shown(migration.__module__),
                    line=_line(sources, migration.__module__, attribute, other, name),
                    message=f"The migration {app}.{migration.name} {what} {other}.{name}, a "
                    f"migration of {owner.label}.",
                    way_out=f"Remove the relation between {module.label} and {owner.label} that "
                    f"made it, then squash the migrations of {app}; take the line out of "
                    f"`{attribute}` where no operation needs it.",
                )


def _line(sources: Sources, module: str, attribute: str, app: str, name: str) -> int:
    """The line that names the other migration; that of the attribute where it is computed."""
    file = sources.file_of(module)
    tree = sources.tree(file) if file else None
    for node in ast.walk(tree) if tree else ():
        match node:
            case ast.Assign(targets=[ast.Name(id=assigned)], value=value) if assigned == attribute:
                for one in ast.walk(value):
                    match one:
                        case ast.Tuple(
                            elts=[ast.Constant(value=first), ast.Constant(value=second)],
                            lineno=line,
                        ) if (first, second) == (app, name):
                            return line
                        case _:
                            continue
                for one in ast.walk(value):
                    if isinstance(one, ast.Attribute) and one.attr == "swappable_dependency":
                        return one.lineno
                return node.lineno
            case _:
                continue
    return 1
