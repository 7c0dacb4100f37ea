"""serve: the module's own deployable, which nobody calls yet."""

import time
from typing import ClassVar

from monolift.kernel.clock import monotonic
from monolift.kernel.errors import Unavailable
from monolift.lift.moving import Blocked, Evidence
from monolift.lift.plan.stage import Lift, Stage
from monolift.registry.places import Trial, here
from monolift.registry.topology import topology
from monolift.truth.client import reached
from monolift.truth.document import Stay


class Serve(Stage):
    """A deployable that hosts only this module is started: the same image in another role.

    It uses the module's database, and gets no calls. `monolift run` starts its processes as soon as
    the truth row names it; on a cluster, apply what `monolift manifests` writes. The stage is done
    when the service answers, and knows the topology that is in force.
    """

    name: ClassVar = "serve"
    way_back: ClassVar = "the service is not needed any more, and ends"

    def plan(self, lift: Lift) -> list[str]:
        """See `Stage`."""
        return [f"start the deployable {lift.service!r}, and wait until it answers at {lift.url()}"]

    def gate(self, lift: Lift) -> None:
        """See `Stage`."""
        lift.url()

    def apply(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        began = monotonic()
        told: Evidence = {}
        if lift.place.here and lift.place.trial is None:
            told = lift.put(on_trial(lift, Trial(deployable=lift.service)))
        lift.say(f"Waiting for {lift.service} at {lift.url()} ...")
        await_service(lift)
        return {**told, "url": lift.url(), "seconds": monotonic() - began}

    def undo(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        return lift.put(Stay(deployable=here(), database=lift.place.alias))


def on_trial(lift: Lift, trial: Trial | None) -> Stay:
    """Here, with a second deployable that may answer."""
    return Stay(deployable=here(), database=lift.place.alias, trial=trial)


def await_service(lift: Lift) -> None:
    """Return when the service answers and knows what is in force. Blocked when it does not."""
    end = monotonic() + lift.wishes.start_within
    while True:
        try:
            if reached(lift.service).epoch >= topology().epoch:
                return
            reason = "it does not know the topology that is in force"
        except Unavailable as error:
            reason = error.reason
        if monotonic() >= end:
            raise Blocked(
                f"{lift.service} at {lift.url()} is not ready after "
                f"{lift.wishes.start_within:.0f} s: {reason}. Look at its log, then go on with "
                f"`monolift lift {lift.module} resume`."
            )
        time.sleep(0.1)
