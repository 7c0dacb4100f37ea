"""remote: the service answers."""

from typing import ClassVar

from monolift.lift.moving import Evidence
from monolift.lift.plan.stage import Lift, Stage
from monolift.lift.plan.stages.serve import await_service, on_trial
from monolift.registry.places import Trial, here
from monolift.truth.document import Stay


class Remote(Stage):
    """All calls go to the service, and it takes over the module's work: deliveries, tasks, sagas.

    It is one row, known to every process within milliseconds. Who has not heard of it goes on here
    for that instant, on the same database, which harms nothing.
    """

    name: ClassVar = "remote"
    way_back: ClassVar = "one row: calls and work are here again, within milliseconds"

    def plan(self, lift: Lift) -> list[str]:
        """See `Stage`."""
        return [f"place {lift.module} in the deployable {lift.service!r}"]

    def gate(self, lift: Lift) -> None:
        """See `Stage`."""
        await_service(lift)

    def apply(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        told: Evidence = {}
        if lift.place.here:
            told = lift.put(Stay(deployable=lift.service, database=lift.place.alias))
        await_service(lift)
        lift.say(f"{lift.module} is answered by {lift.service} at {lift.url()}.")
        return told

    def undo(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        told = lift.put(on_trial(lift, Trial(deployable=lift.service)))
        lift.say(f"{lift.module} is answered by {here()} again.")
        return told
