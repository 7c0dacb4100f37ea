"""assess: whether it is worth it, and what is in the way."""

from typing import ClassVar

from monolift.kernel.errors import MonoliftError
from monolift.lift.advice import assess
from monolift.lift.advice.evidence import provide
from monolift.lift.moving import Blocked, Evidence
from monolift.lift.plan.drills import recorded
from monolift.lift.plan.stage import Lift, Stage


class Assess(Stage):
    """What speaks for it and against it, measured, and what must be mended first.

    The advice is to stay, unless all of D1 to D4 and D9 to D12 hold and one of D5 to D8 is a real
    force (`monolift assess` shows each with its number). It is advice: the decision is yours. A
    boundary that does not hold is another thing, and shuts the gate: `--despite` opens it, where
    the project's sources are not at hand to be looked at.
    """

    name: ClassVar = "assess"
    way_back: ClassVar = "nothing to take back"

    def plan(self, lift: Lift) -> list[str]:
        """See `Stage`."""
        return ["measure D1 to D12, and look for what is in the way"]

    def gate(self, lift: Lift) -> None:
        """See `Stage`."""

    def apply(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        provide(recorded)
        try:
            advice = assess(module=lift.module)
        except MonoliftError as error:
            if lift.wishes.despite:
                return {"note": f"not measured: {error}"}
            raise Blocked(f"{error} (Or go on with --despite.)") from error
        if advice.blockers and not lift.wishes.despite:
            raise Blocked(
                f"{lift.module} cannot be lifted as it is:\n" + "\n".join(advice.blockers)
            )
        lift.say(f"The advice is: {advice.verdict}. {advice.reasons[0]}.")
        return {
            "verdict": str(advice.verdict),
            **{one.number: str(one.outcome) for one in advice.criteria},
        }

    def undo(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        return {}
