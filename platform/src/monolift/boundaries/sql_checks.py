"""System checks on how a project opens its transactions."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from monolift.registry.modules import modules
from monolift.registry.settings import setting


def atomic_requests(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """`ATOMIC_REQUESTS` opens a transaction around each view, in which no call may be made."""
    if not any(module.provides for module in modules().values()):
        return []
    found: list[CheckMessage] = []
    for alias, database in settings.DATABASES.items():
        if not database.get("ATOMIC_REQUESTS"):
            continue
        what = f"DATABASES[{alias!r}] has ATOMIC_REQUESTS, so each view runs in a transaction"
        if setting("CALLS_IN_TRANSACTION") == "warn":
            found.append(
                checks.Warning(
                    f"{what}, and each call of a view to a module is made inside it.",
                    hint="Put @transaction.non_atomic_requests on the views that call modules, one "
                    "by one, then turn ATOMIC_REQUESTS off.",
                    id="monolift.W201",
                )
            )
        else:
            found.append(
                Error(
                    f"{what}, and each call of a view to a module is refused.",
                    hint="Turn ATOMIC_REQUESTS off, or put @transaction.non_atomic_requests on the "
                    'views that call modules. MONOLIFT["CALLS_IN_TRANSACTION"] = "warn" lets '
                    "calls pass while you work that off.",
                    id="monolift.E201",
                )
            )
    return found


def register_sql_checks() -> None:
    """Let `manage.py check` run them."""
    register(atomic_requests)
