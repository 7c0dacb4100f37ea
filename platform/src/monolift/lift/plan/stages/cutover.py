"""cutover: the new database is the one that is written."""

from typing import ClassVar

from monolift.lift.moving import Evidence
from monolift.lift.plan.carrying import compare, cut_over_and_compare
from monolift.lift.plan.stage import Lift, Stage


class CutOver(Stage):
    """PostgreSQL: for an instant writers wait; then the new database is the one they write.

    Once a rehearsal has shown that the budget suffices, the fence is taken: the last changes
    arrive, the old side is closed, and the truth is changed, in one commit. Both sides are
    compared as they were then, row for row; if one differs, it goes back at once. From then on
    changes are fed back, so that the way home stays open until `finish`.
    """

    name: ClassVar = "cutover"
    way_back: ClassVar = "the same cut-over in the other direction"
    holds_up: ClassVar = True

    def applies(self, lift: Lift) -> bool:
        """See `Stage`."""
        return lift.vendor == "postgresql"

    def plan(self, lift: Lift) -> list[str]:
        """See `Stage`."""
        return [
            f"rehearse it, then hold writers of {lift.module} up for at most {lift.wishes.budget} s"
        ]

    def gate(self, lift: Lift) -> None:
        """See `Stage`."""
        if lift.place.alias == lift.alias:
            rehearsed = lift.mover(source=lift.alias, target=lift.away).rehearse()
            lift.say(f"Rehearsed: {rehearsed}")

    def mend(self, lift: Lift) -> None:
        """See `Stage`."""
        if lift.place.alias == lift.alias:
            lift.mover(source=lift.alias, target=lift.away).recover()

    def apply(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        mover = lift.mover(source=lift.alias, target=lift.away)
        if lift.place.alias == lift.away:
            mover.recover()
            compared = compare(lift, mover, source=lift.alias, target=lift.away)
            return {"note": "it was cut over before", **compared}
        mover.recover()
        return cut_over_and_compare(lift, mover, source=lift.alias, target=lift.away)

    def undo(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        mover = lift.mover(source=lift.away, target=lift.alias)
        if lift.place.alias == lift.alias:
            mover.recover()
            if self.name not in lift.evidence:
                return {"note": "it was here"}
            compared = compare(lift, mover, source=lift.away, target=lift.alias)
            return {"note": "it was cut over before", **compared}
        if not mover.begun():  # `finish` has ended the feed back: a new move
            mover.drop()
            mover.copy(lift.watch)
        mover.recover()
        return cut_over_and_compare(lift, mover, source=lift.away, target=lift.alias)
