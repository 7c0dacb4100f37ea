"""One module alone: the others are not installed, and fakes answer for those it requires."""

import importlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from monolift.kernel.interface import operations_of

_only: str | None = None


class NotAlone(Exception):
    """The module cannot be booted alone; the message says why and what to do."""


def install_only(label: str) -> None:
    """Let Django install the module of that label and no other one.

    Apps that are no modules stay: Django's own, the project's user model, the library's. To be
    called before Django loads the apps. Raises NotAlone, when they load, for an unknown label.
    """
    from django.apps.registry import Apps, apps
    from django.conf import settings

    global _only
    _only = label
    populate = Apps.populate

    def populate_less(registry: Apps, installed_apps: Iterable[Any] | None = None) -> None:
        if registry is apps and not registry.ready and installed_apps is not None:
            installed_apps = settings.INSTALLED_APPS = _without_others(label, installed_apps)
            # The file places modules that are not there.
            settings.MONOLIFT = {**getattr(settings, "MONOLIFT", {}), "TOPOLOGY": None}
        populate(registry, installed_apps)

    patched: Any = Apps
    patched.populate = populate_less


def _without_others(label: str, installed: Iterable[Any]) -> list[Any]:
    from django.apps import AppConfig

    from monolift.registry.modules import Module

    kept: list[Any] = []
    labels: list[str] = []
    for entry in installed:
        config = AppConfig.create(entry) if isinstance(entry, str) else entry
        if isinstance(config, Module):
            labels.append(config.label)
        if not isinstance(config, Module) or config.label == label:
            kept.append(entry)
    if label not in labels:
        raise NotAlone(
            f"--only-module {label}: there is no such module. "
            f"Installed: {', '.join(sorted(labels))}."
        )
    return kept


@contextmanager
def faked() -> Iterator[None]:
    """Answer each required interface, whose module is not there, with a fresh fake.

    The fake is the provider's: `Fake<Interface>` in the `fakes.py` beside its `interface.py`. Where
    there is none, the first call raises NotAlone, which says what to write.
    """
    from monolift.registry.proxies import standing_in

    fakes: dict[Any, Any] = {}
    finding = threading.RLock()

    def find(interface: Any) -> Any:
        if _is_installed(interface):
            return None
        with finding:
            if interface not in fakes:
                fakes[interface] = fake_of(interface)
        return fakes[interface]

    with standing_in(find):
        yield


def fake_of(interface: Any) -> Any:
    """A new fake of an interface, called by one thread at a time, as rows are written in turn.

    Raises NotAlone when its module has none.
    """
    name = f"{interface.__module__.rpartition('.')[0]}.fakes"
    if find_spec(name) is not None:
        fake = getattr(importlib.import_module(name), f"Fake{interface.__name__}", None)
        if fake is not None:
            return _in_turn(fake(), interface)
    alone = f", and its module is not installed with --only-module {_only}" if _only else ""
    raise NotAlone(
        f"{interface.interface_name} has no fake{alone}. Write class Fake{interface.__name__}"
        f"({interface.__name__}) in {name}, or mark the test @pytest.mark.together."
    )


def _in_turn(fake: Any, interface: Any) -> Any:
    lock = threading.RLock()

    def in_turn(name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            with lock:  # what the class has now: a test may have put something else there
                return getattr(type(fake), name)(fake, *arguments, **named)

        return call

    for name in operations_of(interface):
        setattr(fake, name, in_turn(name))
    return fake


def _is_installed(interface: Any) -> bool:
    from monolift.registry.modules import modules

    return interface.interface_owner in modules()
