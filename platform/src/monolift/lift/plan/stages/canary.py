"""canary: a share of the calls goes to the service."""

import time
from typing import ClassVar

from monolift.lift.moving import Blocked, Evidence
from monolift.lift.plan.stage import Lift, Stage
from monolift.lift.plan.stages.serve import await_service, on_trial
from monolift.lift.plan.stages.shadow import standby
from monolift.lift.routing.record import differences
from monolift.registry.places import Trial

SHARES = (10, 50)
"""Percent, one after the other."""
_MOST = 0.01
"""The share of the calls sent there that may go without an answer."""


class Canary(Stage):
    """A tenth of the calls goes to the service, then half of them, `--watch-for` seconds each.

    Which ones says a stable hash of the call's key, so that a call that is repeated goes the same
    way. Both sides use one database. If more than one in a hundred gets no answer, all calls are
    answered here again at once, and the gate is shut.
    """

    name: ClassVar = "canary"
    way_back: ClassVar = "all calls are answered here"

    def plan(self, lift: Lift) -> list[str]:
        """See `Stage`."""
        seconds = lift.wishes.watch_for
        return [
            f"send {share} % of the calls to {lift.service} for {seconds:.0f} s" for share in SHARES
        ]

    def gate(self, lift: Lift) -> None:
        """See `Stage`."""
        await_service(lift)

    def apply(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        evidence: dict[str, int] = {}
        for share in SHARES:
            trial = Trial(deployable=lift.service, mode="canary", percent=share)
            told = lift.put(on_trial(lift, trial))
            lift.say(f"{share} % of the calls go to {lift.service} for a while ...")
            time.sleep(lift.wishes.watch_for)
            seen = differences(lift.module, since=told["epoch"])
            answered, silent = seen.total("trial"), seen.total("unavailable")
            evidence |= {f"answered at {share}": answered, f"silent at {share}": silent}
            if silent > _MOST * (answered + silent):
                standby(lift)
                reasons = "; ".join(seen.failures) or "no reason is known"
                raise Blocked(
                    f"{silent} of {answered + silent} calls got no answer from {lift.service}: "
                    f"{reasons}. All calls are answered here again."
                )
        standby(lift)
        return evidence

    def undo(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        return standby(lift)
