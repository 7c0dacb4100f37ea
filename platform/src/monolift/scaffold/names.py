"""Which names a module may have."""

import importlib.util
import keyword
import re
import sys
from collections.abc import Sequence

from monolift.boundaries.files import NOT_READ
from monolift.scaffold.errors import ScaffoldError

_WITHIN = frozenset(("migrations", "templates", "management"))
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check_name(name: str, *, package: str, labels: Sequence[str], apps: Sequence[str]) -> None:
    """Raise ScaffoldError when a module of this name would not work, or would hide another.

    `package` is its dotted name, `labels` the modules there are, `apps` what the settings install.
    """
    if not _NAME.fullmatch(name):
        raise ScaffoldError(
            f"{name!r} is no name for a module. Use lower-case letters, digits and _, as in "
            "`order_history`."
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise ScaffoldError(f"{name!r} is a word of Python. Choose another name.")
    if name in labels:
        raise ScaffoldError(f"There is a module {name!r} already. Choose another name.")
    if name in NOT_READ or name in _WITHIN:
        raise ScaffoldError(
            f"A folder {name!r} is part of a module, and none itself. Choose another name."
        )
    for app in apps:
        if app.partition(".apps.")[0].rpartition(".")[2] == name:
            raise ScaffoldError(f"The app {app!r} is called {name!r} as well. Choose another name.")
    if importlib.util.find_spec(f"django.contrib.{name}") is not None:
        raise ScaffoldError(f"Django has an app that is called {name!r}. Choose another name.")
    if package != name:
        return
    if name in sys.stdlib_module_names:
        raise ScaffoldError(f"{name!r} would hide Python's own module. Choose another name.")
    if importlib.util.find_spec(name) is not None:
        raise ScaffoldError(f"{name!r} would hide an installed package. Choose another name.")


def check_owner(owner: str) -> None:
    """Raise ScaffoldError for what cannot name a team."""
    if not _OWNER.fullmatch(owner):
        raise ScaffoldError(
            f"{owner!r} names no team. Use letters, digits, dots and dashes: --owner team-supply."
        )
