"""Where each module runs and where its tables are: what the file declares, and its epoch here."""

import os
import threading
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from monolift.registry.modules import modules
from monolift.registry.settings import setting, transport

DEFAULT_ALIAS = "default"
LOCAL = frozenset({"local", "loopback"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where one module is: its deployable, how it is called from here, its database alias."""

    deployable: str
    route: str = "local"
    alias: str = DEFAULT_ALIAS


@dataclass(frozen=True, kw_only=True, slots=True)
class Topology:
    """The places of all modules at one epoch. Epochs only grow."""

    epoch: int = 0
    places: Mapping[str, Place] = field(default_factory=dict)

    def place(self, module: str) -> Place:
        """The place of a module; the default alias, here, for one the file does not name."""
        return self.places.get(module) or Place(deployable=here(), route=transport())

    def alias(self, module: str | None) -> str:
        """The database alias of a module's tables; the default one for code outside modules."""
        if module is None:
            return DEFAULT_ALIAS
        place = self.places.get(module)
        return place.alias if place else DEFAULT_ALIAS

    def moved(self, module: str, **changes: Any) -> "Topology":
        """The next epoch's topology, with one module's place changed."""
        places = dict(self.places)
        places[module] = replace(self.place(module), **changes)
        return Topology(epoch=self.epoch + 1, places=places)


def here() -> str:
    """The deployable that this process is."""
    return os.environ.get("MONOLIFT_DEPLOYABLE", "shop")


_lock = threading.Lock()
_current: Topology | None = None
_listeners: list[Callable[[], None]] = []


def topology() -> Topology:
    """The topology in force in this process."""
    global _current
    if _current is None:
        with _lock:
            if _current is None:
                _current = declared()
    return _current


def modules_on(alias: str) -> list[str]:
    """The modules whose tables are in a database."""
    known = topology()
    return [label for label in modules() if known.alias(label) == alias]


def install(new: Topology) -> bool:
    """Put a topology in force here. Older epochs are ignored; True when something changed."""
    global _current
    with _lock:
        if _current is not None and new.epoch <= _current.epoch:
            return False
        _current = new
    for listener in _listeners:
        listener()
    return True


def reset() -> None:
    """Forget what is in force; the next use reads the file again. For tests."""
    global _current
    with _lock:
        _current = None
    for listener in _listeners:
        listener()


def on_change(listener: Callable[[], None]) -> None:
    """Call `listener` after each change, to rebuild what was derived from the topology."""
    _listeners.append(listener)


def declared() -> Topology:
    """The topology that the file describes, epoch 0."""
    path = setting("TOPOLOGY")
    document = _read(Path(path)) if path else {}
    known = modules()
    separate = os.environ.get("MONOLIFT_DATABASES") == "each"
    places = {label: Place(deployable=here(), route=transport()) for label in known}
    for label, entry in document.get("modules", {}).items():
        if label not in known:
            raise ImproperlyConfigured(
                f"{path}: [modules.{label}] is not an installed module. "
                f"Installed: {', '.join(sorted(known))}."
            )
        deployable = entry.get("deployable", here())
        if deployable not in document.get("deployables", {deployable: {}}):
            raise ImproperlyConfigured(
                f"{path}: [modules.{label}] runs in {deployable!r}, which [deployables] lacks."
            )
        places[label] = Place(
            deployable=deployable,
            route=transport(),
            alias=entry.get("database", DEFAULT_ALIAS),
        )
    for label, place in places.items():
        if separate and label in settings.DATABASES:
            place = places[label] = replace(place, alias=label)
        if place.alias not in settings.DATABASES:
            raise ImproperlyConfigured(
                f"{path}: [modules.{label}] is on the database {place.alias!r}, "
                f"which DATABASES lacks. It has: {', '.join(sorted(settings.DATABASES))}."
            )
    return Topology(epoch=0, places=places)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        message = f"MONOLIFT['TOPOLOGY'] names {path}, which is missing."
        raise ImproperlyConfigured(message) from None
    except tomllib.TOMLDecodeError as error:
        raise ImproperlyConfigured(f"{path} is not valid TOML: {error}.") from None
