"""Links from the pages to files of the project. Pages kept elsewhere have none: they would rot."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where the pages lie, and the project that they tell of; both absolute and without links."""

    folder: Path
    root: Path
    contracts: Path

    def link(self, target: Path, *, page: str) -> str:
        """The relative link from a page to a file or folder of the project; empty when none."""
        inside = self.folder.is_relative_to(self.root) and target.is_relative_to(self.root)
        if not inside or not target.exists():
            return ""
        return Path(os.path.relpath(target, (self.folder / page).parent)).as_posix()

    def contract(self, snapshot: str, *, page: str) -> tuple[str, str]:
        """(name, link) of a contract's file, `orders/events/order_placed.v1.json`, if there is."""
        file = self.contracts / snapshot
        if not file.is_file():
            return "", ""
        name = file.relative_to(self.root) if file.is_relative_to(self.root) else Path(snapshot)
        return name.as_posix(), self.link(file, page=page)
