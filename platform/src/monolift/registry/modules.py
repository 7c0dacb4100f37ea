"""Modules: Django apps that are bounded contexts."""

import importlib
import inspect
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, ClassVar

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from monolift.kernel import DeclarationError, NotBound, operations_of

_CONTRACTS = ("interface", "events")
_DEPENDENCIES = ("requires", "handlers", "sagas", "tasks", "compositions")


class Module(AppConfig):
    """A bounded context. `provides` names the class that implements each interface it offers.

    class InventoryModule(Module):
        name = "modules.inventory"
        owner = "team-supply"
        provides = {Inventory: "modules.inventory.services.InventoryService"}
    """

    owner: ClassVar[str] = ""
    provides: ClassVar[Mapping[Any, str]] = {}
    default_auto_field = "django.db.models.BigAutoField"
    default = False  # this base is no app's configuration; its subclasses are

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.default = True

    def ready(self) -> None:
        """Load the module's declarations and check what its contract promises."""
        super().ready()
        if not self.owner:
            raise DeclarationError.at(
                type(self), f"{type(self).__name__} names no owner.", 'Add `owner = "team-..."`.'
            )
        for interface in self.provides:
            for operation in operations_of(interface).values():
                operation.check_types()
        for part in (*_CONTRACTS, *_DEPENDENCIES):
            if find_spec(f"{self.name}.{part}") is not None:
                importlib.import_module(f"{self.name}.{part}")


def modules() -> dict[str, Module]:
    """The installed modules by label."""
    return {app.label: app for app in apps.get_app_configs() if isinstance(app, Module)}


def is_module(label: str) -> bool:
    """Whether an installed app is a module. Asked for every query, so it makes nothing."""
    return isinstance(apps.app_configs.get(label), Module)


def module_of(python_module: str) -> str | None:
    """The label of the installed module that owns a Python module; None for anything else."""
    best = ""
    label = None
    for app in apps.get_app_configs():
        if (
            isinstance(app, Module)
            and (python_module == app.name or python_module.startswith(app.name + "."))
            and len(app.name) > len(best)
        ):
            best, label = app.name, app.label
    return label


def owner_of_app(label: str | None) -> str:
    """The team that owns a module; empty for code outside the modules."""
    module = modules().get(label or "")
    return module.owner if module else ""


def provider(interface: Any) -> tuple[str, str]:
    """(module label, dotted class path) of the installed module that provides an interface."""
    found = [
        (label, path)
        for label, module in modules().items()
        for provided, path in module.provides.items()
        if provided is interface
    ]
    if not found:
        raise NotBound(
            f"No installed module provides {interface.__module__}.{interface.__qualname__}. "
            "Name it in `provides` of its module's AppConfig, and that app in INSTALLED_APPS."
        )
    if len(found) > 1:
        raise ImproperlyConfigured(
            f"{interface.__qualname__} is provided twice: by {found[0][0]} and {found[1][0]}."
        )
    return found[0]


def implementation(interface: Any) -> Any:
    """A new instance of the class that provides an interface, checked to be complete."""
    module, path = provider(interface)
    try:
        cls = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(
            f"{module} provides {interface.__qualname__} as {path!r}, which cannot be imported: "
            f"{error}"
        ) from error
    check_implementation(cls, interface)
    return cls()


def check_implementation(cls: type[Any], interface: Any) -> None:
    """Raise DeclarationError unless `cls` has every method of `interface`, with its parameters."""
    for name, operation in operations_of(interface).items():
        method = getattr(cls, name, None)
        if method is None or method is operation.function:
            raise DeclarationError.at(
                cls,
                f"{cls.__name__} does not implement {interface.__qualname__}.{name}.",
                f"Add `def {name}{inspect.signature(operation.function)}`.",
            )
        wanted = list(operation.signature.parameters)
        given = list(inspect.signature(method).parameters)[1:]
        if wanted != given:
            raise DeclarationError.at(
                method,
                f"{cls.__name__}.{name} takes ({', '.join(given)}), "
                f"but {interface.__qualname__}.{name} declares ({', '.join(wanted)}).",
                "Make them equal.",
            )
