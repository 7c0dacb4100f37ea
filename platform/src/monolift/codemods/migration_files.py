"""Numbers and writes migrations, from Django's own state of a project."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from monolift.codemods.errors import CodemodError
from monolift.codemods.tree import Tree

_TEMPLATE = '''"""{summary}"""

{imports}
{functions}

class Migration(migrations.Migration):

    dependencies = [
{dependencies}
    ]

    operations = [
{operations}
    ]
'''


class History:
    """The migrations there are and those that are being written, never the database."""

    def __init__(self) -> None:
        from django.core.exceptions import ImproperlyConfigured
        from django.db.migrations.exceptions import NodeNotFoundError
        from django.db.migrations.loader import MigrationLoader

        try:
            self._loader = MigrationLoader(None)
        except (NodeNotFoundError, ImproperlyConfigured) as error:
            raise CodemodError(f"The migrations cannot be loaded: {error}.") from None
        if conflicts := self._loader.detect_conflicts():
            label, names = next(iter(conflicts.items()))
            raise CodemodError(
                f"The migrations of {label!r} have two ends: {', '.join(sorted(names))}. "
                f"Run `manage.py makemigrations --merge {label}` first."
            )
        self._last: dict[str, str] = {}
        for label, name in self._loader.graph.leaf_nodes():
            self._last[label] = name

    @cached_property
    def state(self) -> Any:
        """Django's ProjectState after all migrations."""
        return self._loader.project_state()

    def model(self, label: str, name: str) -> Any:
        """A clone of the ModelState of a model. Raises CodemodError."""
        try:
            return self.state.models[label, name.lower()].clone()
        except KeyError:
            raise CodemodError(
                f"No migration creates {label}.{name}. Run `manage.py makemigrations {label}` "
                "first."
            ) from None

    def last(self, label: str) -> tuple[str, str] | None:
        """The newest migration of an app."""
        name = self._last.get(label)
        return (label, name) if name else None

    def dependents(self, label: str) -> set[str]:
        """Labels of the other apps with a migration that depends on one of the app's."""
        return {
            app
            for (app, _), node in self._loader.graph.node_map.items()
            if app != label and any(parent.key[0] == label for parent in node.parents)
        }

    def refuse_pending(self, labels: Iterable[str]) -> None:
        """Raise CodemodError when the models of one of the apps differ from its migrations."""
        from django.apps import apps
        from django.db.migrations.autodetector import MigrationAutodetector
        from django.db.migrations.questioner import NonInteractiveMigrationQuestioner
        from django.db.migrations.state import ProjectState

        asked = set(labels)
        detector = MigrationAutodetector(
            self.state,
            ProjectState.from_apps(apps),
            NonInteractiveMigrationQuestioner(specified_apps=asked, dry_run=True, verbosity=0),
        )
        changes = detector.changes(graph=self._loader.graph)
        for label in sorted(asked & changes.keys()):
            what = changes[label][0].operations[0].describe()
            raise CodemodError(
                f"The models of {label!r} have changes without a migration ({what}). "
                f"Run `manage.py makemigrations {label}` first."
            )

    def add(
        self,
        tree: Tree,
        *,
        label: str,
        name: str,
        summary: str,
        dependencies: Sequence[tuple[str, str] | None],
        operations: Sequence[Any],
        functions: str = "",
        imports: Sequence[str] = (),
    ) -> tuple[str, str]:
        """Write a migration into the tree; its key. An operation may be ready source text."""
        from django.db.migrations import Migration
        from django.db.migrations.writer import MigrationWriter, OperationWriter

        last = self._last.get(label)
        number = int(match.group()) if last and (match := re.match(r"\d+", last)) else 0
        full = f"{number + 1:04d}_{name}"
        lines: list[str] = []
        needed = {"from django.db import migrations"}
        for operation in operations:
            if isinstance(operation, str):
                lines.append(operation)
                continue
            source, more = OperationWriter(operation, indentation=2).serialize()
            needed |= more
            lines.append(source)
        named = _from_db(needed, imports)
        needed = {line for line in needed if not line.startswith("from django.db import ")}
        needed.add(f"from django.db import {', '.join(sorted(named))}")
        own = (label, last) if last else None
        before = sorted({key for key in (own, *dependencies) if key})
        path = Path(MigrationWriter(Migration(full, label)).path)
        if not tree.holds(path):
            raise CodemodError(
                f"The app {label!r} lies outside the project ({path.parent}), so no migration can "
                "be written for it. Set MIGRATION_MODULES for it, or move the app in."
            )
        text = _TEMPLATE.format(
            summary=summary,
            imports="\n".join(_sorted(needed)) + "\n",
            functions=functions,
            dependencies="\n".join(f'        ("{app}", "{key}"),' for app, key in before),
            operations="\n".join(lines),
        )
        package = path.parent / "__init__.py"
        if not package.exists():
            tree.write(package, "")
        tree.write(path, _formatted(text))
        self._last[label] = full
        return label, full


def repointed(field: Any, targets: Mapping[str, str]) -> Any:
    """A clone of a field of a ModelState whose relation names other models."""
    clone = field.clone()
    remote = clone.remote_field
    for attribute in ("model", "through"):
        value = getattr(remote, attribute, None)
        if isinstance(value, str) and value.lower() in targets:
            setattr(remote, attribute, targets[value.lower()])
    return clone


def _from_db(*groups: Iterable[str]) -> set[str]:
    """What imports take from django.db."""
    prefix = "from django.db import "
    return {
        name.strip()
        for group in groups
        for line in group
        if line.startswith(prefix)
        for name in line.removeprefix(prefix).split(",")
    }


def _sorted(imports: Iterable[str]) -> list[str]:
    return sorted(imports, key=lambda line: (line.startswith("from"), line.split()[1]))


def _formatted(text: str) -> str:
    """The text with the quotes and widths that formatters agree on, as far as that is safe."""
    compile(text, "migration", "exec")
    return re.sub(r"\n{4,}", "\n\n\n", text)
