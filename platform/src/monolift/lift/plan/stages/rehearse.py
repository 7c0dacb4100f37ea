"""rehearse: the module answers where it is, as if it were elsewhere."""

import tempfile
import time
from pathlib import Path
from typing import ClassVar

import msgspec

from monolift.lift.moving import Blocked, Evidence
from monolift.lift.plan.stage import Lift, Stage
from monolift.lift.rehearsal.report import collect
from monolift.registry.places import Rehearsal
from monolift.registry.settings import setting
from monolift.registry.topology import topology
from monolift.truth.follow import ASK_EVERY, change

_LATENCY, _TWICE = 0.002, 0.02


class Rehearse(Stage):
    """The module's calls go through the codec, the client and the server, and only no network.

    For `--watch-for` seconds each call takes two milliseconds longer, and one in fifty arrives
    twice, under load that is real; nothing is refused and no answer is lost, so that nobody is
    hurt (`monolift rehearse` does that too). What would hurt once it is elsewhere is named with
    file and line: calls in loops, chatty requests, large answers. It is evidence, and shuts no
    gate.
    """

    name: ClassVar = "rehearse"
    way_back: ClassVar = "it ends by itself, also by the clock"

    def plan(self, lift: Lift) -> list[str]:
        """See `Stage`."""
        return [f"rehearse {lift.module} for {lift.wishes.watch_for:.0f} s"]

    def gate(self, lift: Lift) -> None:
        """See `Stage`."""
        running = topology().rehearsal
        if running is not None and running.until > time.time():
            raise Blocked("There is a rehearsal already. Wait for its end, or end it by Ctrl-C.")

    def apply(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        seconds = lift.wishes.watch_for
        data = Path(setting("DATA")).absolute()
        with tempfile.TemporaryDirectory(prefix="monolift-rehearsal-", dir=data) as folder:
            rehearsal = Rehearsal(
                modules=(lift.module,),
                latency=_LATENCY,
                refused=0.0,
                lost=0.0,
                twice=_TWICE,
                until=time.time() + seconds + ASK_EVERY,  # also if this process is killed
                folder=folder,
            )
            lift.say(f"Rehearsing {lift.module} for {seconds:.0f} s ...")
            change({}, rehearsal=rehearsal)
            try:
                time.sleep(seconds)
            finally:
                change({})
            time.sleep(1.0)  # what is under way is counted too
            report = collect(rehearsal)
        for hurt in report.hurts:
            place = f"{hurt.place}: " if hurt.place else ""
            lift.say(f"  {place}{hurt.operation}: {hurt.what}")
        return {"calls": report.calls, "hurts": msgspec.to_builtins(report.hurts)}

    def undo(self, lift: Lift) -> Evidence:
        """See `Stage`."""
        return {}
