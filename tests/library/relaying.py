"""Relaying without running anything, and claiming by hand."""

from dataclasses import replace

from monolift.events import deliveries, handover, relay, worker
from monolift.events.deliveries import Claimed
from monolift.registry.places import Topology
from monolift.registry.topology import topology


def relay_all() -> None:
    """Everything announced becomes deliveries where they are wanted, and none is run."""
    for alias in worker.aliases():
        while relay.relay(alias).events or handover.hand_over(alias):
            pass


def claim(module: str = "sales", *, share: int = deliveries.SHARE) -> list[Claimed]:
    """What a worker would take now."""
    return deliveries.claim(topology().alias(module), modules=[module], share=share)


def moved(module: str, deployable: str) -> Topology:
    """The next epoch's topology, in which a module runs in another deployable."""
    known = topology()
    place = replace(known.place(module), deployable=deployable, route="http")
    return replace(known, epoch=known.epoch + 1, places={**known.places, module: place})
