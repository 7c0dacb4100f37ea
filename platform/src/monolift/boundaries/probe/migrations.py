"""Couplings between the histories of two modules' tables."""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from monolift.boundaries.files import SourceFile
from monolift.boundaries.project import Project
from monolift.boundaries.references import Reference
from monolift.boundaries.violations import Violation
from monolift.boundaries.vocabulary import Vocabulary


def order_violations(project: Project) -> Iterator[Violation]:
    """Modules whose migrations wait for those of another: each pair of apps once.

    A dependency goes away with its relation and a squash, not one by one.
    """
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    waiting: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for (app, _), migration in sorted(loader.disk_migrations.items()):
        for after in (*migration.dependencies, *migration.run_before):
            waiting[app, after[0]].append(migration)
    for (app, other), migrations in waiting.items():
        module, target = project.by_label.get(app), project.by_label.get(other)
        if module is None or target is None or module.label == target.label:
            continue
        first = migrations[0]
        path, line = _place(project, first, other)
        count = "1 migration" if len(migrations) == 1 else f"{len(migrations)} migrations"
        yield Violation(
            module=module.label,
            rule="migration-dependency",
            source=f"{first.__module__}.Migration",
            target=f"{other}.migrations",
            path=path,
            line=line,
            message=f"{count} of {app} wait for those of {other}; the first is {first.name}.",
            way_out="",
        )


def _place(project: Project, migration: Any, other: str) -> tuple[str, int]:
    file = Path(str(sys.modules[migration.__module__].__file__)).resolve()
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    quoted = re.compile(rf"""(?<!get_model)\(["']{re.escape(other)}["'],""")
    named = [number for number, text in enumerate(lines, start=1) if quoted.search(text)]
    swapped = [number for number, text in enumerate(lines, start=1) if "swappable_dep" in text]
    line = next(iter(named + swapped), 1)
    return project.shown(file), line


def data_violations(
    words: Vocabulary, file: SourceFile, references: Iterable[Reference]
) -> Iterator[Violation]:
    """What a migration does to another module's tables: `get_model` in functions, and SQL."""
    if file.part != "migrations":
        return
    for reference in references:
        if reference.kind == "model-by-name":
            target = words.module_of_label(reference.value.partition(".")[0])
            what, name = f"uses the model {reference.value}", reference.value
        elif reference.kind == "sql-text":
            target = words.module_of_table(reference.value)
            what, name = f"holds SQL on {reference.value}", f"{target}.{reference.value}"
        else:
            continue
        if target and target != file.module:
            yield Violation(
                module=file.module,
                rule="migration-of-another",
                source=reference.source,
                target=name,
                path=file.path,
                line=reference.line,
                message=f"{file.name.rpartition('.')[2]} {what}, a table of {target}.",
                way_out="",
            )
