"""On whose behalf a statement runs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import PurePath
from typing import Any

from monolift.registry.scope import Scope

_COMMANDS = {
    "dbshell": "shell",
    "shell": "shell",
    "shell_plus": "shell",
    "makemigrations": "migrations",
    "migrate": "migrations",
    "sqlmigrate": "migrations",
}
_named: ContextVar[str] = ContextVar("monolift_named_context", default="")


def context_of_command(argv: list[str]) -> str:
    """The named context of a whole process by its command line; empty for most."""
    program = PurePath(argv[0]).name if argv else ""
    if program in ("manage.py", "django-admin", "__main__.py") and len(argv) > 1:
        return _COMMANDS.get(argv[1], "")
    return ""


_process = context_of_command(sys.argv)


@contextmanager
def named_context(name: str) -> Iterator[None]:
    """Run statements that no module runs and that may touch any table: an import, a repair.

    Django's admin, its shell and its migrations are such contexts by themselves. What an interface
    does when it is called inside is still its module's.
    """
    if not name:
        raise ValueError("named_context() needs a name, which says who touches the tables.")
    token = _named.set(name)
    try:
        yield
    finally:
        _named.reset(token)


def on_behalf_of(scope: Scope | None, connection: Any) -> str | None:
    """The module whose operation, view or transaction this is; None where no module is known."""
    context = None
    while scope is not None and context is None:
        if scope.module is not None:
            return scope.module
        context = scope.context
        scope = scope.parent
    if context == "admin" or _process or _named.get():
        return None
    if context is not None:
        return context
    for block in connection.atomic_blocks:
        module = getattr(block, "module", None)
        if module is not None:
            return str(module)
    return None
