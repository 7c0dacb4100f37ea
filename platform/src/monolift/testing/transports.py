"""Running the same code over another transport."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from monolift.registry import topology
from monolift.registry.modules import modules


@contextmanager
def transported(route: str) -> Iterator[None]:
    """Let every module of the process be reached by `route`: "local" or "loopback"."""
    before = topology.topology()
    places = {label: replace(before.place(label), route=route) for label in modules()}
    topology.install(replace(before, epoch=before.epoch + 1, places=places, rehearsal=None))
    try:
        yield
    finally:
        after = topology.topology()
        topology.install(replace(before, epoch=after.epoch + 1))
