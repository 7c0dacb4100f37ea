"""Carrying rows over, as several stages do it: copy, cut over, compare, and back if need be."""

from monolift.lift.moving import Blocked, Evidence, GaveUp, Mover
from monolift.lift.plan.stage import Lift
from monolift.truth.document import Stay

_TRIES = 5


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
    return {"copy": copied, **cut_over_and_compare(lift, mover, source=source, target=target)}


def cut_over_and_compare(lift: Lift, mover: Mover, *, source: str, target: str) -> Evidence:
    """Cut over what is copied, and compare both sides as they were then; back if they differ."""
    if found := _found_before(lift, target):  # it is back, and begins anew
        lift.note("differed", {**found, "taken_back": True})
    cut, tries = _cut_over(lift, mover, Stay(deployable=lift.place.deployable, database=target))
    lift.say(f"{lift.module} is on {target!r}. Writers waited {cut['held'] * 1000:.1f} ms.")
    compared = compare(lift, mover, source=source, target=target)
    return {"cut-over": cut, "tries": tries, **compared}


def compare(lift: Lift, mover: Mover, *, source: str, target: str) -> Evidence:
    """Compare both sides after a cut-over; what differs is kept, and it goes back. Raises Blocked.

    Whoever goes on after a kill compares them as they are now, but for what changed since.
    """
    compared = _found_before(lift, target) or mover.verify()
    if compared["differences"]:
        compared = {**compared, "on": target}
        lift.note("differed", compared)
        kept = mover.keep()
        lift.say("The two sides differ. It goes back at once.")
        back = lift.mover(source=target, target=source)
        back.copy(lift.watch)
        _cut_over(lift, back, Stay(deployable=lift.place.deployable, database=source))
        lift.note("differed", {**compared, "taken_back": True})
        text = f"{lift.module} was taken back, because rows differed: "
        text += "; ".join(compared["differences"])
        if kept:
            text += (
                f". It has the rows that were copied. The rows as they were are in "
                f"{', '.join(kept)}, on the database {source!r}: put right what differs, then drop "
                "them."
            )
        raise Blocked(text)
    return {"compared": compared}


def _found_before(lift: Lift, target: str) -> Evidence | None:
    """The differences for which a command that was killed had not taken the module back yet."""
    for name, found in lift.evidence.items():
        if name.endswith(" differed") and found.get("on") == target and "taken_back" not in found:
            return dict(found)
    return None


def _cut_over(lift: Lift, mover: Mover, stay: Stay) -> tuple[Evidence, int]:
    change, written = lift.changing(stay)
    for attempt in range(1, _TRIES + 1):
        try:
            cut = mover.cut_over(change)
        except GaveUp as error:
            if attempt == _TRIES:
                raise
            lift.say(f"{error} It is tried again.")
        else:
            return {**cut, **lift.told(written[0])}, attempt
    raise AssertionError("the last attempt returns or raises")
