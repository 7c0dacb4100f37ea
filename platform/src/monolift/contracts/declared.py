"""What the installed modules declare. Needs Django to be set up."""

import sys
from collections.abc import Iterator
from typing import Any

from monolift.contracts.snapshots import (
    Snapshot,
    Snapshots,
    by_path,
    of_event,
    of_interface,
    of_saga,
    of_task,
)
from monolift.events.tasks import Task
from monolift.kernel import Event, Interface, Saga
from monolift.registry.modules import Module, modules


def declared(*, labels: frozenset[str] | None = None) -> Snapshots:
    """The snapshots of the installed modules, or of those named.

    A module's contracts are what its `interface.py`, `events.py`, `sagas.py` and `tasks.py` (or the
    folders of these names) declare, and what it provides, wherever that is declared.
    """
    found = [
        snapshot
        for label, module in modules().items()
        if labels is None or label in labels
        for snapshot in contracts_of(module)
    ]
    return by_path(found)


def contracts_of(module: Module) -> Iterator[Snapshot]:
    """The snapshots of one module."""
    interfaces = [one for one in _members(module, "interface") if _declares(one, Interface)]
    for interface in dict.fromkeys((*interfaces, *module.provides)):
        yield of_interface(interface)
    for event in _members(module, "events"):
        if _declares(event, Event):
            yield of_event(event)
    for saga in _members(module, "sagas"):
        if _declares(saga, Saga):
            yield of_saga(saga)
    for task in _members(module, "tasks"):
        if isinstance(task, Task):
            yield of_task(task)


def _members(module: Module, part: str) -> list[Any]:
    """What the loaded Python modules of a part define themselves, in order of definition."""
    prefix = f"{module.name}.{part}"
    found: dict[int, Any] = {}
    for name, loaded in sorted(sys.modules.items()):
        if name == prefix or name.startswith(f"{prefix}."):
            for member in vars(loaded).values():
                home = getattr(getattr(member, "function", member), "__module__", None)
                if home == name:
                    found[id(member)] = member
    return list(found.values())


def _declares(member: Any, base: type[Any]) -> bool:
    marks = {Interface: "interface_name", Event: "event_name", Saga: "saga_name"}
    return isinstance(member, type) and bool(getattr(member, marks[base], ""))
