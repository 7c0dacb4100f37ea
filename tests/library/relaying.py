"""Relaying without running anything, and claiming by hand."""

from monolift.events import deliveries, handover, relay, worker
from monolift.events.deliveries import Claimed
from monolift.registry.topology import topology


def relay_all() -> None:
    """Everything announced becomes deliveries where they are wanted, and none is run."""
    for alias in worker.aliases():
        while relay.relay(alias).events or handover.hand_over(alias):
            pass


def claim(module: str = "sales", *, share: int = deliveries.SHARE) -> list[Claimed]:
    """What a worker would take now."""
    return deliveries.claim(topology().alias(module), modules=[module], share=share)
