"""Migrations wait while a module's rows are fed from one database to another.

Logical replication carries no DDL: a column that one side has and the other has not stops the feed.
"""

from typing import Any

from django.core.management import CommandError
from django.db import DatabaseError, connections

from monolift.lift.plan import state
from monolift.lift.plan.state import Standing
from monolift.registry.places import DEFAULT_ALIAS

_FED = frozenset({"copy", "cutover", "soak"})


def refuse_migrations(*, plan: list[tuple[Any, bool]], **_: object) -> None:
    """Receiver of Django's `pre_migrate`: CommandError for a module that is being moved."""
    if not plan or connections[DEFAULT_ALIAS].vendor != "postgresql":
        return
    for module in sorted({migration.app_label for migration, _ in plan}):
        try:
            standing = state.current(module)
        except DatabaseError:
            return  # the platform's own tables are made just now: nothing was ever lifted
        if standing is not None and _fed(standing):
            names = ", ".join(one.name for one, _ in plan if one.app_label == module)
            raise CommandError(
                f"{module} is being moved to another database, and a feed carries no migrations "
                f"({names}). End the move first: `monolift lift {module} finish`, or `monolift "
                f"lift {module} land`; then migrate."
            )


def _fed(standing: Standing) -> bool:
    return standing.stage in _FED or standing.doing.removeprefix("-") in _FED
