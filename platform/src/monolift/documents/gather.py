"""Gathers what the installed modules declare. Needs Django to be set up, and no database."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db.models import Model

from monolift.documents.errors import DocumentsError
from monolift.documents.facts import Heard, Landscape, ModuleFacts, Required, Table
from monolift.documents.reading import Reading, loaded_interfaces, read
from monolift.documents.spelling import doc_of
from monolift.events.subscriptions import all_subscriptions
from monolift.events.tasks import Task
from monolift.gateway.parts import compositions as declared_compositions
from monolift.kernel import Event, Operation, Saga, operations_of
from monolift.kernel.saga import declared_sagas
from monolift.registry.modules import Module, module_of, modules
from monolift.registry.proxies import binding_of


def gather() -> Landscape:
    """The landscape of the installed modules. Raises DocumentsError when there is none."""
    installed = modules()
    if not installed:
        raise DocumentsError(
            "No module is installed. Derive the AppConfig of an app in INSTALLED_APPS from "
            "monolift.Module, and name its owner."
        )
    interfaces = loaded_interfaces()
    proxies = {id(binding_of(interface).proxy): interface for interface in interfaces}
    providers = {
        interface: label for label, module in installed.items() for interface in module.provides
    }
    folders = frozenset(Path(module.path) for module in installed.values())
    return Landscape(
        modules={
            label: _facts(installed[label], proxies, providers, folders)
            for label in sorted(installed)
        }
    )


def _facts(
    module: Module,
    proxies: dict[int, type[Any]],
    providers: dict[type[Any], str],
    folders: frozenset[Path],
) -> ModuleFacts:
    sagas = tuple(
        sorted(
            (saga for saga in declared_sagas() if _belongs(saga, module)),
            key=lambda saga: (saga.saga_name, saga.saga_version),
        )
    )
    readings = read(module, others=folders, proxies=proxies)
    return ModuleFacts(
        label=module.label,
        owner=module.owner,
        package=module.name,
        folder=Path(module.path),
        about=doc_of(type(module)),
        provides=tuple(sorted(module.provides, key=lambda one: str(one.interface_name))),
        requires=tuple(_required(module, readings, sagas, proxies, providers)),
        publishes=tuple(
            sorted(
                (one for one in _members(module, "events") if _is_event(one)),
                key=lambda event: str(event.event_name),
            )
        ),
        hears=tuple(_heard(module, sagas)),
        tables=tuple(_tables(module)),
        sagas=sagas,
        tasks=tuple(
            sorted(
                (one for one in _members(module, "tasks") if isinstance(one, Task)),
                key=lambda task: task.name,
            )
        ),
        compositions=declared_compositions(module=module.label),
        settings=tuple(sorted({name for reading in readings for name in reading.settings()})),
    )


def _required(
    module: Module,
    readings: list[Reading],
    sagas: tuple[type[Saga], ...],
    proxies: dict[int, type[Any]],
    providers: dict[type[Any], str],
) -> Iterator[Required]:
    """What `requires.py` binds, what the files name, and what the steps of sagas declare."""
    bound = [proxies[id(one)] for one in _namespace(module, "requires") if id(one) in proxies]
    bound += [interface for reading in readings for interface in reading.interfaces()]
    called: set[Operation] = {one for reading in readings for one in reading.operations()}
    # A whole interface in `calls=` says that it may be called; which of it is read from the code.
    for saga in sagas:
        for step in saga.saga_steps:
            bound += step.interfaces
            called.update(one for one in step.calls if one.function in step.declared_calls)
    met = {*bound, *(operation.interface for operation in called)}
    for interface in sorted(met, key=lambda one: (one.interface_name, one.__module__)):
        owner = providers.get(interface) or module_of(interface.__module__)
        if owner == module.label:
            continue
        operations = operations_of(interface).values()
        yield Required(
            interface=interface,
            module=owner or str(interface.interface_owner),
            operations=tuple(one for one in operations if one in called),
        )


def _heard(module: Module, sagas: tuple[type[Saga], ...]) -> Iterator[Heard]:
    found = [
        Heard(
            event=subscription.event,
            module=_publisher(subscription.event),
            handler=subscription.name.partition(".")[2],
        )
        for subscription in all_subscriptions()
        # Sagas subscribe to what they await; below they are told of by their steps.
        if subscription.module == module.label
        and not getattr(subscription.handler, "__module__", "").startswith("monolift.sagas")
    ]
    found += [
        Heard(event=event, module=_publisher(event), handler="", saga=saga, step=step.name)
        for saga in sagas
        for step in saga.saga_steps
        for event in step.awaits
    ]

    def order(heard: Heard) -> tuple[str, str, str, str]:
        saga = heard.saga.saga_name if heard.saga else ""
        return heard.event.event_name, heard.handler, saga, heard.step

    yield from sorted(found, key=order)


def _publisher(event: type[Event]) -> str:
    return module_of(event.__module__) or event.event_owner


def _tables(module: Module) -> Iterator[Table]:
    models: list[type[Model]] = [
        model
        for model in module.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    for model in sorted(models, key=lambda one: one._meta.db_table):
        made = bool(model._meta.auto_created)
        yield Table(
            name=model._meta.db_table,
            model="" if made else model.__name__,
            about="Pairs of a many-to-many relation." if made else doc_of(model),
        )


def _is_event(member: Any) -> bool:
    return isinstance(member, type) and issubclass(member, Event)


def _belongs(declared: Any, module: Module) -> bool:
    """Whether a loaded class is the module's, and still the one that its file holds."""
    loaded = sys.modules.get(declared.__module__)
    return module_of(declared.__module__) == module.label and (
        getattr(loaded, declared.__name__, None) is declared
    )


def _members(module: Module, part: str) -> Iterator[Any]:
    """What the Python modules of a part define themselves, each once."""
    seen: set[int] = set()
    for name, member in _named(module, part):
        home = getattr(getattr(member, "function", member), "__module__", None)
        if home == name and id(member) not in seen:
            seen.add(id(member))
            yield member


def _namespace(module: Module, part: str) -> Iterator[Any]:
    for _, member in _named(module, part):
        yield member


def _named(module: Module, part: str) -> Iterator[tuple[str, Any]]:
    """What a part holds that a module's AppConfig loads, so that it is known in every process."""
    prefix = f"{module.name}.{part}"
    for name, loaded in sorted(sys.modules.items()):
        if name == prefix or name.startswith(f"{prefix}."):
            for member in list(vars(loaded).values()):
                yield name, member
