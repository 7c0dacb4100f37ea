"""soak: the way home stays open for a while."""

import time
from typing import ClassVar

from monolift.kernel.clock import monotonic
from monolift.kernel.errors import Unavailable
from monolift.lift.moving import Blocked, Evidence
from monolift.lift.plan.stage import Lift, Stage
from monolift.truth.client import reached


class Soak(Stage):
    """The service does its work for a while, and is looked at.

    `--watch-for` says how long this command looks, a second apart: on a laptop some seconds, in
    production days. Until `finish`, `monolift lift ... land` brings the module home.
    """

    name: ClassVar = "soak"
    way_back: ClassVar = "nothing to take back"

    def plan(self, lift: Lift) -> list[str]:
        """See `Stage`."""
        return [f"ask {lift.service} how it is for {lift.wishes.watch_for:.0f} s"]

    def gate(self, lift: Lift) -> None:
        """See `Stage`."""

    def apply(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        end = monotonic() + lift.wishes.watch_for
        asked = 0
        while True:
            try:
                reached(lift.service)
            except Unavailable as error:
                raise Blocked(
                    f"{lift.service} did not answer: {error.reason}. Look at its log; go on with "
                    f"`monolift lift {lift.module} soak`, or go home with `... land`."
                ) from error
            asked += 1
            left = end - monotonic()
            if left <= 0:
                return {"asked": asked, "failed": 0, "seconds": lift.wishes.watch_for}
            time.sleep(min(1.0, left))

    def undo(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        return {}
