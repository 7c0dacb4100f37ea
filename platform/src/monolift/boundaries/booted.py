"""The guards that need Django's registry: models, migrations, what modules promise to provide."""

import os
import sys
from collections.abc import Iterator

from monolift.boundaries.faults import place, said
from monolift.boundaries.project import Project, ProjectError
from monolift.boundaries.rules import rule
from monolift.boundaries.violations import Violation

NOT_PROVIDED = rule(
    "not-provided",
    title="An interface without a whole implementation",
    why="A caller finds out in production that nobody answers an operation it was promised.",
    fix="Give the class that `provides` names every operation of the interface.",
).name


ATOMIC_REQUESTS = rule(
    "atomic-requests",
    title="Views that run in a transaction",
    why=(
        "ATOMIC_REQUESTS holds a transaction open while a view calls modules. A call inside a "
        "transaction cannot leave the process: what it does would not be rolled back with the "
        "caller, and the lock would be held across the network."
    ),
    fix="Put `non_atomic_requests` on the views that call modules, then turn the setting off.",
).name


def booted_violations(project: Project) -> list[Violation]:
    """What the loaded project shows, without a database. Raises ProjectError when it won't load."""
    _load(project)
    from monolift.boundaries.registry import find_violations

    return sorted([*find_violations(project), *_not_provided(project), *_atomic_requests(project)])


def _load(project: Project) -> None:
    import django
    from django.apps import apps

    if apps.ready:
        return
    name = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    sys.path[:0] = [str(root) for root in project.roots if str(root) not in sys.path]
    try:
        django.setup()
    except (Exception, SystemExit) as error:
        raise ProjectError(
            f"{place(error, project.root)}: Django does not load with the settings {name!r}: "
            f"{said(error)}. Correct that, or check the files alone with --static."
        ) from None


def _not_provided(project: Project) -> Iterator[Violation]:
    from django.core.exceptions import ImproperlyConfigured

    from monolift.kernel import DeclarationError, NotBound
    from monolift.registry.modules import implementation, modules

    for label, module in modules().items():
        for interface in module.provides:
            try:
                implementation(interface)
            except (DeclarationError, ImproperlyConfigured, NotBound) as error:
                owner = project.by_label.get(label)
                yield Violation(
                    module=label,
                    owner=owner.owner if owner else "",
                    rule=NOT_PROVIDED,
                    source=module.name,
                    target=f"{interface.__module__}.{interface.__qualname__}",
                    path=f"{module.name.replace('.', '/')}/apps.py",
                    line=1,
                    message=" ".join(str(error).split()),
                    way_out="Complete the class that `provides` names, or correct its path.",
                )


def _atomic_requests(project: Project) -> Iterator[Violation]:
    from django.conf import settings

    path = os.environ.get("DJANGO_SETTINGS_MODULE", "").replace(".", "/") + ".py"
    for alias, database in settings.DATABASES.items():
        if database.get("ATOMIC_REQUESTS"):
            yield Violation(
                module="",
                rule=ATOMIC_REQUESTS,
                source=f"DATABASES[{alias!r}]",
                target="ATOMIC_REQUESTS",
                path=path if (project.root / path).is_file() else "pyproject.toml",
                line=1,
                message=(
                    f"DATABASES[{alias!r}] has ATOMIC_REQUESTS, so each view runs in a "
                    "transaction, in which no module may be called."
                ),
                way_out=(
                    "Put `non_atomic_requests` on the views that call modules, one by one, then "
                    "turn it off."
                ),
            )
