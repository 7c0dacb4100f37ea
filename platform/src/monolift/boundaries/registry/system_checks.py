"""The guards as system checks: `manage.py check` says what `monolift check` says of the models.

    monolift.E100   the modules or the baseline cannot be read
    monolift.E101   foreign-key              monolift.E106   model-inheritance
    monolift.E102   one-to-one               monolift.W107   reverse-accessor
    monolift.E103   many-to-many             monolift.W108   lookup
    monolift.E104   generic-foreign-key      monolift.E109   migration-dependency
    monolift.E105   generic-relation         monolift.E110   migration-operation

What is read from syntax trees warns; what the models and migrations say for sure is an error. What
stands in the baseline is not told. A project whose pyproject.toml has no [tool.monolift] is not
checked.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004  # Django's name

from monolift.boundaries.baseline import read
from monolift.boundaries.project import ProjectError, find_root, read_project
from monolift.boundaries.registry import rules
from monolift.boundaries.registry.guards import find_violations
from monolift.boundaries.violations import Violation

IDS = {
    rules.FOREIGN_KEY: "monolift.E101",
    rules.ONE_TO_ONE: "monolift.E102",
    rules.MANY_TO_MANY: "monolift.E103",
    rules.GENERIC_FOREIGN_KEY: "monolift.E104",
    rules.GENERIC_RELATION: "monolift.E105",
    rules.MODEL_INHERITANCE: "monolift.E106",
    rules.REVERSE_ACCESSOR: "monolift.W107",
    rules.LOOKUP: "monolift.W108",
    rules.MIGRATION_DEPENDENCY: "monolift.E109",
    rules.MIGRATION_OPERATION: "monolift.E110",
}


def model_boundaries(
    app_configs: Sequence[AppConfig] | None = None, **_: Any
) -> list[CheckMessage]:
    """One message for each violation that is not in the baseline."""
    try:
        root = find_root(Path(getattr(settings, "BASE_DIR", None) or "."))
        if "[tool.monolift" not in (root / "pyproject.toml").read_text(encoding="utf-8"):
            return []
    except (ProjectError, OSError, UnicodeDecodeError):
        return []  # deployed without its pyproject.toml, or not a project of ours
    try:
        project = read_project(root=root)
        accepted = {entry.identity for entry in read(project)}
    except ProjectError as error:
        return [Error(str(error), id="monolift.E100")]
    wanted = None if app_configs is None else {config.label for config in app_configs}
    return [
        _message(violation)
        for violation in find_violations(project)
        if violation.identity not in accepted
        and (wanted is None or wanted & set(project.by_label[violation.module].app_labels))
    ]


def _message(violation: Violation) -> CheckMessage:
    name = IDS[violation.rule]
    kind = Warning if ".W" in name else Error
    return kind(
        f"{violation.message} ({violation.position}, {violation.id})",
        hint=violation.way_out,
        id=name,
    )


def register_model_checks() -> None:
    """Let `manage.py check` run them."""
    register(model_boundaries)
