"""finish: the move is for good, and the file says so."""

from pathlib import Path
from typing import ClassVar

from monolift.lift.moving import Blocked, Evidence
from monolift.lift.plan.placing import placed_text
from monolift.lift.plan.stage import Lift, Stage
from monolift.registry.places import DEFAULT_ALIAS
from monolift.registry.settings import setting


class Finish(Stage):
    """What the move left behind is taken away, and the topology's file says where the module is.

    On SQLite the old tables stay where they were, under another name and locked, until somebody
    drops them: `DROP TABLE monolift_moved_...`; the module's history in the platform's tables
    there, which has moved along, is deleted. On PostgreSQL the feed back ends, and the old tables
    stay under their own names, closed to everybody. Commit the file.
    """

    name: ClassVar = "finish"
    way_back: ClassVar = "the file says again what it said; the rest is a new move home"

    def plan(self, lift: Lift) -> list[str]:
        """See `Stage`."""
        return [f"write to {_file() or 'no file'} that {lift.module} is in {lift.service!r}"]

    def gate(self, lift: Lift) -> None:
        """See `Stage`."""
        if lift.place.here:
            raise Blocked(f"{lift.module} is still here: nothing to finish.")

    def apply(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        source, target = (
            (lift.alias, lift.away) if lift.vendor == "postgresql" else (DEFAULT_ALIAS, lift.alias)
        )
        left = lift.mover(source=source, target=target).finish()
        _write(lift, deployable=lift.service, database=target)
        return {**left, "file": str(_file() or "")}

    def undo(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        _write(lift, deployable=None, database=None)
        return {}


def _file() -> Path | None:
    return Path(setting("TOPOLOGY")) if setting("TOPOLOGY") else None


def _write(lift: Lift, *, deployable: str | None, database: str | None) -> None:
    file = _file()
    if file is None or not lift.wishes.write_file:
        lift.say(f"Write the place of {lift.module} into the topology's file yourself.")
        return
    text = file.read_text()
    after = placed_text(text, lift.module, deployable=deployable, database=database)
    if after != text:
        file.write_text(after)
        lift.say(f"{file} says where {lift.module} is. Commit it.")
