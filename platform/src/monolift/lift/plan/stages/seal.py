"""seal: a database of the module's own, in the same deployable."""

from typing import TYPE_CHECKING, ClassVar

from monolift.lift.moving import Blocked, Evidence
from monolift.lift.plan.carrying import compare, move, refuse
from monolift.lift.plan.stage import Lift, Stage
from monolift.registry.places import DEFAULT_ALIAS, here
from monolift.truth.document import Stay

if TYPE_CHECKING:
    from monolift.lift.sealing.postgresql.seal import PostgresSeal


class Seal(Stage):
    """The module gets a database of its own, and stays in its process.

    Nothing else changes: no caller notices, since a call never runs in its caller's transaction.
    Only sagas do: steps that were one transaction with the module's are taken one by one.

    On SQLite the rows move to a file of their own at once, while they are used. They are copied,
    what changes meanwhile is copied again, and then writers wait for the instant in which the rest
    is copied, the old tables are closed, and the truth is changed, in one commit. Both sides are
    compared afterwards, row for row, as they were in that instant; if a single one differs, the
    module goes back at once, and the rows as they were are kept in `monolift_kept_...`. After a
    kill all rows are compared that have not changed since. Whoever did not hear of the move is
    refused by the old file, hears of it then, and does the same in the new one.

    On PostgreSQL the tables stay where they are. The module gets a role of its own, and from one
    commit on nobody else writes them: each transaction of that role enters the module's fence.
    """

    name: ClassVar = "seal"
    way_back: ClassVar = "the rows move back, the same way; on PostgreSQL the rights do"
    holds_up: ClassVar = True

    def plan(self, lift: Lift) -> list[str]:
        """See `Stage`."""
        if lift.vendor != "sqlite":
            return partition(lift).statements()
        mover = lift.mover(source=DEFAULT_ALIAS, target=lift.alias)
        return [
            f"copy {mover.progress().total} rows from {DEFAULT_ALIAS!r} to {lift.alias!r}",
            f"hold writers of {lift.module} up for at most {lift.wishes.budget} s",
            *mover.statements(),
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
        if lift.vendor == "sqlite":
            refuse(lift.mover(source=DEFAULT_ALIAS, target=lift.alias))
        elif obstacles := partition(lift).obstacles():
            raise Blocked("\n".join(obstacles))

    def apply(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        if lift.place.alias == lift.alias:
            if lift.vendor == "sqlite":
                mover = lift.mover(source=DEFAULT_ALIAS, target=lift.alias)
                mover.recover()
                compared = compare(lift, mover, source=DEFAULT_ALIAS, target=lift.alias)
                return {"note": "it was sealed before, by a command that was killed", **compared}
            return {"note": "it was sealed before"}
        if lift.vendor == "sqlite":
            return move(lift, source=DEFAULT_ALIAS, target=lift.alias)
        change, written = lift.changing(Stay(deployable=here(), database=lift.alias))
        sealed = partition(lift).apply(change)
        lift.say(f"{lift.module} is written by its own role only, through its fence.")
        return {**sealed, **lift.told(written[0])}

    def undo(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        if lift.vendor == "sqlite":
            if lift.place.alias == lift.alias:
                return move(lift, source=lift.alias, target=DEFAULT_ALIAS)
            way = {"source": lift.alias, "target": DEFAULT_ALIAS}
            compared = compare(lift, lift.mover(**way), **way)  # after a kill on the way home
            lift.mover(source=DEFAULT_ALIAS, target=lift.alias).drop()
            return {"note": "the copy is dropped", **compared}
        if lift.place.alias != lift.alias:
            return {"note": "it was not sealed"}
        change, written = lift.changing(Stay(deployable=here(), database=DEFAULT_ALIAS))
        taken = partition(lift).undo(change)
        lift.say(f"{lift.module} is on {DEFAULT_ALIAS!r} again.")
        return {**taken, **lift.told(written[0])}


def partition(lift: Lift) -> "PostgresSeal":
    """What seals on PostgreSQL. Loaded there only: it needs psycopg."""
    from monolift.lift.sealing.postgresql.seal import PostgresSeal

    return PostgresSeal(module=lift.module, alias=lift.alias)
