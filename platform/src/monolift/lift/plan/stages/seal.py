"""seal: a database of the module's own, in the same deployable."""

from typing import ClassVar

from monolift.lift.moving import Blocked, Evidence
from monolift.lift.plan.carrying import move, refuse
from monolift.lift.plan.stage import Lift, Stage
from monolift.registry.places import DEFAULT_ALIAS


class Seal(Stage):
    """The module gets a database of its own, and stays in its process.

    Nothing else changes: no caller notices, since a call never runs in its caller's transaction.
    Only sagas do: steps that were one transaction with the module's are taken one by one.

    On SQLite the rows move to a file of their own at once, while they are used. They are copied,
    what changes meanwhile is copied again, and then writers wait for the instant in which the rest
    is copied, the old tables are closed, and the truth is changed, in one commit. Both sides are
    compared afterwards, row for row, as they were in that instant; if a single one differs, the
    module goes back at once. Whoever did not hear of it is refused by the old file, hears of it
    then, and does the same in the new one.
    """

    name: ClassVar = "seal"
    way_back: ClassVar = "the rows move back, the same way"
    holds_up: ClassVar = True

    def plan(self, lift: Lift) -> list[str]:
        """See `Stage`."""
        mover = lift.mover(source=DEFAULT_ALIAS, target=lift.alias)
        progress = mover.progress()
        return [
            f"copy {progress.total} rows from {DEFAULT_ALIAS!r} to {lift.alias!r}",
            f"hold writers of {lift.module} up for at most {lift.wishes.budget} s",
            "compare both sides, as they were then",
        ]

    def gate(self, lift: Lift) -> None:
        """See `Stage`."""
        if lift.place.alias == lift.alias:
            return
        if lift.place.alias != DEFAULT_ALIAS:
            raise Blocked(
                f"{lift.module} is on the database {lift.place.alias!r}: it is apart already."
            )
        refuse(lift.mover(source=DEFAULT_ALIAS, target=lift.alias))

    def apply(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        if lift.place.alias == lift.alias:
            return {"note": "it was sealed before"}
        return move(lift, source=DEFAULT_ALIAS, target=lift.alias)

    def undo(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        if lift.place.alias == lift.alias:
            return move(lift, source=lift.alias, target=DEFAULT_ALIAS)
        lift.mover(source=DEFAULT_ALIAS, target=lift.alias).drop()
        return {"note": "the copy is dropped"}
