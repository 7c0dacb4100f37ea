"""Which steps may commit together: computed from the topology, again at each change of it."""

from typing import Any

from monolift.kernel import Saga, Step
from monolift.registry.modules import is_module
from monolift.registry.places import LOCAL
from monolift.registry.proxies import binding_of
from monolift.registry.settings import setting
from monolift.registry.topology import on_change, topology

_fusible: dict[Any, tuple[bool, ...]] = {}
"""By saga and epoch: what is worked out while the topology changes is kept after it was cleared."""


def group_at(saga: type[Saga], cursor: int) -> tuple[Step[Any], ...]:
    """The longest run of steps from `cursor` on that may share one transaction; empty if none."""
    if not setting("FUSION"):
        return ()
    known = topology()
    fusible = _fusible.get((saga, known.epoch))
    if fusible is None:
        alias = known.alias(saga.saga_owner)
        fusible = _fusible[saga, known.epoch] = tuple(
            _may_fuse(step, alias) for step in saga.saga_steps
        )
    end = cursor
    while end < len(fusible) and fusible[end]:
        end += 1
        if saga.saga_steps[end - 1].answer:
            break
    return saga.saga_steps[cursor:end]


def _may_fuse(step: Step[Any], alias: str) -> bool:
    """Its calls are all in this process, on the saga's database, and leave nothing outside."""
    if step.awaits:
        return False
    for operation in step.calls:
        module = binding_of(operation.interface).module
        if not is_module(module):
            return False  # a fake answers for one that is not installed: nothing rolls it back
        known = topology()
        if operation.external or known.route(module) not in LOCAL or known.alias(module) != alias:
            return False
    return True


on_change(_fusible.clear)
