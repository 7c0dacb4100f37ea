"""Where a dotted name lies: which module, which part of it, which file."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """A dotted name inside a module: `modules.orders.services.placing`."""

    name: str
    module: str
    part: str
    """The file or folder directly inside the module: `services`; empty for the module itself."""

    @property
    def folder(self) -> str:
        """The module's folder as one writes it in an editor: `modules/orders`."""
        return self.module.replace(".", "/")


def locate(*, name: str, modules: Iterable[str]) -> Place | None:
    """The place of `name` among `modules`, or None when it belongs to none of them."""
    for module in modules:
        if name == module:
            return Place(name, module, "")
        if name.startswith(f"{module}."):
            return Place(name, module, name.removeprefix(f"{module}.").partition(".")[0])
    return None


def source_file(*, name: str, roots: Iterable[str] | None = None) -> Path | None:
    """The file of a dotted name, found without importing anything, or None.

    `roots` are the folders to look in; by default the import path. Parents are not imported, so
    a broken or expensive package can still be read.
    """
    relative = Path(*name.split("."))
    for root in sys.path if roots is None else roots:
        for candidate in (relative.with_suffix(".py"), relative / "__init__.py"):
            path = Path(root or ".") / candidate
            if path.is_file():
                return path
    return None


def shown(*, path: Path) -> str:
    """`path` as messages show it: relative to the working directory where that is possible."""
    absolute = path.resolve()
    here = Path.cwd().resolve()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)
