"""What the pages tell: the modules as they declare themselves, and how they meet."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from monolift.events.tasks import Task
from monolift.gateway.parts import Composition
from monolift.kernel import Event, Operation, Saga

type Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Required:
    """An interface of another module that a module uses."""

    interface: type[Any]
    module: str
    """The label of the module that provides it."""
    operations: tuple[Operation, ...]
    """Those that the code names, in order of definition."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """An event that a module wants to know of, and what happens then."""

    event: type[Event]
    module: str
    """The label of the module that announces it."""
    handler: str
    """The name of the handler; empty when a saga awaits the event."""
    saga: type[Saga] | None = None
    step: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that a module owns. `model` is empty for the table of a many-to-many relation."""

    name: str
    model: str
    about: str


@dataclass(frozen=True, kw_only=True)
class ModuleFacts:
    """One module."""

    label: str
    owner: str
    package: str
    folder: Path
    about: str
    provides: tuple[type[Any], ...]
    requires: tuple[Required, ...]
    publishes: tuple[type[Event], ...]
    hears: tuple[Heard, ...]
    tables: tuple[Table, ...]
    sagas: tuple[type[Saga], ...]
    tasks: tuple[Task[Any], ...]
    compositions: tuple[Composition, ...]
    settings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Landscape:
    """All installed modules by label, in order of their labels."""

    modules: dict[str, ModuleFacts]

    @cached_property
    def calls(self) -> dict[Pair, tuple[str, ...]]:
        """(caller, provider): the names of the operations that are called."""
        found: defaultdict[Pair, list[str]] = defaultdict(list)
        for module in self.modules.values():
            for required in module.requires:
                pair = module.label, required.module
                found[pair] += [operation.method for operation in required.operations]
        return {pair: tuple(found[pair]) for pair in sorted(found)}

    @cached_property
    def events(self) -> dict[Pair, tuple[str, ...]]:
        """(publisher, subscriber): the names of the event classes; none of a module's own."""
        found: defaultdict[Pair, list[str]] = defaultdict(list)
        for module in self.modules.values():
            for heard in module.hears:
                if heard.module != module.label:
                    found[heard.module, module.label].append(heard.event.__name__)
        return {pair: tuple(dict.fromkeys(found[pair])) for pair in sorted(found)}

    @cached_property
    def outside(self) -> tuple[str, ...]:
        """Modules that are called or heard and not installed here."""
        met = {label for pair in (*self.calls, *self.events) for label in pair}
        return tuple(sorted(met - self.modules.keys()))

    @property
    def labels(self) -> tuple[str, ...]:
        """Every module of the map."""
        return (*self.modules, *self.outside)

    def callers(self, operation: Operation) -> list[str]:
        """The modules that call an operation."""
        return [
            module.label
            for module in self.modules.values()
            if any(operation in required.operations for required in module.requires)
        ]

    def hearers(self, event: type[Event]) -> list[tuple[str, Heard]]:
        """Who wants to know of an event: (label, how)."""
        return [
            (module.label, heard)
            for module in self.modules.values()
            for heard in module.hears
            if heard.event is event
        ]
