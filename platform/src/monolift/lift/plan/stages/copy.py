"""copy: the rows are at the new database, and stay current there."""

from typing import ClassVar

from monolift.lift.moving import Evidence
from monolift.lift.plan.carrying import refuse
from monolift.lift.plan.processes import await_known
from monolift.lift.plan.stage import Lift, Stage


class Copy(Stage):
    """PostgreSQL: the module's rows are copied to a database of their own, while they are used.

    By logical replication: what changes meanwhile and afterwards follows within milliseconds. The
    tables are made by the module's migrations. It does not begin before every process that lives
    has reported that it knows the new database. Until the cut-over nothing depends on the copy. On
    SQLite the rows went to a file of their own when the module was sealed.
    """

    name: ClassVar = "copy"
    way_back: ClassVar = "the copy is dropped, with what fed it"

    def applies(self, lift: Lift) -> bool:
        """See `Stage`."""
        return lift.vendor == "postgresql"

    def plan(self, lift: Lift) -> list[str]:
        """See `Stage`."""
        return lift.mover(source=lift.alias, target=lift.away).statements()

    def gate(self, lift: Lift) -> None:
        """See `Stage`."""
        lift.make_database(lift.away)
        mover = lift.mover(source=lift.alias, target=lift.away)
        if lift.place.alias == lift.alias and not mover.begun():
            refuse(mover)
            await_known(lift.away)

    def apply(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        if lift.place.alias == lift.away:
            return {"note": "it was cut over before"}
        lift.say(f"Copying the rows of {lift.module} from {lift.alias!r} to {lift.away!r} ...")
        mover = lift.mover(source=lift.alias, target=lift.away)
        mover.recover()  # a slot of one that was killed is in the way
        return mover.copy(lift.watch)

    def undo(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        lift.mover(source=lift.alias, target=lift.away).drop()
        return {"note": "the copy is dropped"}
