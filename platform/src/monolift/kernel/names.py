"""Wire names: derived from where a class is declared, then pinned by the snapshots in `contracts/`.

A name never contains a class path, so moving a file or renaming a package does not change what is
stored or sent; renaming the class does, and the snapshot shows it.
"""

import inspect
import re
import sys
from typing import Any

_CONTRACT_FILES = frozenset({"interface", "events", "requires", "handlers", "sagas", "tasks"})
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """`InsufficientStock` -> `insufficient_stock`."""
    return _WORD_START.sub("_", name).lower()


def words(name: str) -> str:
    """`InsufficientStock` -> `Insufficient stock`."""
    return snake(name).replace("_", " ").capitalize()


def owner_of(python_module: str) -> str:
    """The label of the module that a Python module belongs to.

    `modules.orders.events` and `modules.orders.events.placed` -> `orders`; a declaration outside
    the contract files (a test, a script) is owned by its own file's name.
    """
    parts = python_module.split(".")
    for index, part in enumerate(parts):
        if part in _CONTRACT_FILES and index > 0:
            return parts[index - 1]
    return parts[-1].strip("_") or parts[-1]


def place_of(declared: Any) -> str:
    """`file.py:12` of a class or function, for error messages."""
    code = getattr(declared, "__code__", None)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    module = sys.modules.get(getattr(declared, "__module__", ""))
    path = getattr(module, "__file__", None) or getattr(declared, "__module__", "?")
    try:
        return f"{path}:{inspect.getsourcelines(declared)[1]}"
    except (OSError, TypeError):
        return str(path)
