"""shadow: both answer, and the answers are compared."""

import time
from typing import ClassVar

from monolift.lift.moving import Blocked, Evidence
from monolift.lift.plan.stage import Lift, Stage
from monolift.lift.plan.stages.serve import await_service, on_trial
from monolift.lift.routing.record import Seen, differences
from monolift.registry.places import Trial


class Shadow(Stage):
    """The service is asked as well, after the reply, and its answers are compared.

    Callers get the answer from here, as before. A share of the queries is put to the service too,
    in the background, for `--watch-for` seconds; clocks and ids are masked. An answer that differs
    shuts the gate, and is shown. Commands are not sent twice.
    """

    name: ClassVar = "shadow"
    way_back: ClassVar = "the service is asked no more"

    def plan(self, lift: Lift) -> list[str]:
        """See `Stage`."""
        return [f"compare answers of {lift.service} for {lift.wishes.watch_for:.0f} s"]

    def gate(self, lift: Lift) -> None:
        """See `Stage`."""
        await_service(lift)

    def apply(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        told = lift.put(on_trial(lift, Trial(deployable=lift.service, mode="shadow")))
        lift.say(f"Comparing answers for {lift.wishes.watch_for:.0f} s ...")
        time.sleep(lift.wishes.watch_for)
        standby(lift)
        seen = differences(lift.module, since=told["epoch"])
        lift.say(f"{seen.equal} answers were equal, {seen.different} differed.")
        if seen.different:
            raise Blocked(_shown(lift, seen))
        return {
            **told,
            "equal": seen.equal,
            "different": seen.different,
            "skipped": seen.skipped,
            "failed": seen.failed,
        }

    def undo(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        return standby(lift)


def standby(lift: Lift) -> Evidence:
    """The service is there, and gets no calls."""
    wanted = Trial(deployable=lift.service)
    if lift.place.trial == wanted:
        return {}
    return lift.put(on_trial(lift, wanted))


def _shown(lift: Lift, seen: Seen) -> str:
    lines = [f"{lift.service} answers otherwise than {lift.module} does here:"]
    lines += [f"  {one.operation}({one.arguments}): {one.places}" for one in seen.examples[:5]]
    lines.append("Mend it, then go on. What may differ is masked by MONOLIFT['SHADOW_MASKS'].")
    return "\n".join(lines)
