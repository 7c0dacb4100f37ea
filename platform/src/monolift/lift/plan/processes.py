"""Waiting until every process that lives knows what a stage is about to use."""

import time

from monolift.kernel.clock import monotonic
from monolift.kernel.errors import Unavailable
from monolift.lift.moving import Blocked
from monolift.registry.places import here
from monolift.registry.topology import topology
from monolift.truth import presence
from monolift.truth.client import processes

_LOOK = 0.2


def await_known(alias: str, *, within: float = presence.ALIVE) -> None:
    """Return when all that live know a database and the topology in force; else Blocked.

    One that cannot carry out a topology with that database would refuse every call of the module.
    """
    end = monotonic() + within
    while missing := _missing(alias):
        if monotonic() >= end:
            raise Blocked("\n".join(missing))
        time.sleep(_LOOK)


def _missing(alias: str) -> list[str]:
    epoch = topology().epoch
    found = []
    for one in _alive():
        if alias not in one.databases:
            found.append(
                f"{one} lives and does not know the database {alias!r}: its DATABASES were read "
                "before it was declared. Start it anew; one that has ended is forgotten after "
                f"{presence.ALIVE:.0f} s."
            )
        elif one.epoch < epoch:
            found.append(
                f"{one} knows epoch {one.epoch} of the topology, and {epoch} is in force: its log "
                "says why. Start it anew, or wait."
            )
    return found


def _alive() -> list[presence.Process]:
    found = presence.alive()
    for name in sorted(topology().wanted - {here()}):
        try:
            found += processes(name)
        except Unavailable as error:
            raise Blocked(
                f"{name} does not say which of its processes know what: {error.reason}. Look at "
                "its log, then try again."
            ) from error
    return found
