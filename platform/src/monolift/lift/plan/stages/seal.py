"""seal: a database of the module's own, in the same deployable."""

from typing import ClassVar

from monolift.lift.moving import Blocked, Evidence, GaveUp, Mover
from monolift.lift.plan.stage import Lift, Stage
from monolift.registry.places import DEFAULT_ALIAS
from monolift.truth.document import Document, Stay

_TRIES = 5


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


def refuse(mover: Mover) -> None:
    """Raise Blocked for what a mover says is in its way."""
    if obstacles := mover.obstacles():
        raise Blocked("\n".join(obstacles))


def move(lift: Lift, *, source: str, target: str) -> Evidence:
    """Take the rows over, change the truth, compare; back again if anything differs."""
    mover = lift.mover(source=source, target=target)
    mover.recover()
    lift.say(f"Copying the rows of {lift.module} from {source!r} to {target!r} ...")
    copied = mover.copy(lift.watch)
    lift.say(f"{copied['rows']} rows are copied; changes follow.")
    stay = Stay(deployable=lift.place.deployable, database=target)
    cut, tries = _cut_over(lift, mover, stay)
    lift.say(f"{lift.module} is on {target!r}. Writers waited {cut['held'] * 1000:.1f} ms.")
    compared = mover.verify()
    if compared["differences"]:
        lift.say("The two sides differ. It goes back at once.")
        back = lift.mover(source=target, target=source)
        back.copy(lift.watch)
        _cut_over(lift, back, Stay(deployable=stay.deployable, database=source))
        raise Blocked(
            f"{lift.module} was taken back, because rows differed: "
            + "; ".join(compared["differences"])
        )
    return {"copy": copied, "cut-over": cut, "tries": tries, "compared": compared}


def _cut_over(lift: Lift, mover: Mover, stay: Stay) -> tuple[Evidence, int]:
    documents: list[Document] = []

    def change() -> Document:
        documents[:] = [lift.change(stay)]
        return documents[0]

    for attempt in range(1, _TRIES + 1):
        try:
            cut = mover.cut_over(change)
        except GaveUp as error:
            if attempt == _TRIES:
                raise
            lift.say(f"{error} It is tried again.")
        else:
            return {**cut, **lift.told(documents[0])}, attempt
    raise AssertionError("the last attempt returns or raises")
