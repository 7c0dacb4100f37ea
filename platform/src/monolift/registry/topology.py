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
REMOTE = "http"
_RESILIENCE = ("own", "mesh")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where one module is: its deployable, how it is called from here, its database alias."""

    deployable: str
    route: str = "local"
    alias: str = DEFAULT_ALIAS


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployable:
    """A process role, and how others reach it."""

    url: str | None = None
    resilience: str = "own"
    """`own`, or `mesh` when a service mesh in front of it repeats requests and breaks circuits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Topology:
    """The places of all modules at one epoch. Epochs only grow."""

    epoch: int = 0
    places: Mapping[str, Place] = field(default_factory=dict)
    deployables: Mapping[str, Deployable] = field(default_factory=dict)

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
        return replace(self, epoch=self.epoch + 1, places=places)

    def hosts(self, module: str) -> bool:
        """Whether this process may answer for a module: its code and its tables are here."""
        return self.place(module).route in LOCAL


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
    """The modules of this deployable whose tables are in a database."""
    known = topology()
    return [label for label in modules() if known.alias(label) == alias and known.hosts(label)]


def urls() -> dict[str, str]:
    """Where each other deployable is reached: the setting `URLS`, else what the file says."""
    declared = {
        name: deployable.url
        for name, deployable in topology().deployables.items()
        if deployable.url and name != here()
    }
    return {**declared, **setting("URLS")}


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
    if not path:
        places = {label: Place(deployable=here(), route=transport()) for label in modules()}
        return Topology(epoch=0, places=_on_databases(places, "DATABASES"))
    return read_topology(Path(path))


def read_topology(path: Path) -> Topology:
    """What a file describes; ImproperlyConfigured names the entry that is wrong."""
    document = _read(path)
    if unknown := sorted(document.keys() - {"deployables", "modules"}):
        raise ImproperlyConfigured(
            f"{path}: [{unknown[0]}] is neither [deployables.NAME] nor [modules.NAME]."
        )
    deployables = {
        name: _deployable(f"{path}: [deployables.{name}]", entry)
        for name, entry in document.get("deployables", {}).items()
    }
    deployables = deployables or {here(): Deployable()}
    if here() not in deployables:
        raise ImproperlyConfigured(
            f"{path}: this process is the deployable {here()!r} (MONOLIFT_DEPLOYABLE), which "
            f"[deployables] lacks. It has: {', '.join(sorted(deployables))}."
        )
    known = modules()
    places = {label: Place(deployable=here(), route=transport()) for label in known}
    for label, entry in document.get("modules", {}).items():
        where = f"{path}: [modules.{label}]"
        if label not in known:
            raise ImproperlyConfigured(
                f"{where} is not an installed module. Installed: {', '.join(sorted(known))}."
            )
        _only(where, entry, {"deployable", "database"})
        deployable = entry.get("deployable", here())
        if deployable not in deployables:
            raise ImproperlyConfigured(
                f"{where} runs in {deployable!r}, which [deployables] lacks. It has: "
                f"{', '.join(sorted(deployables))}."
            )
        elsewhere = deployable != here()
        if elsewhere and not (deployables[deployable].url or deployable in setting("URLS")):
            raise ImproperlyConfigured(
                f"{where} runs in {deployable!r}, and nothing says where that is. Give "
                f"[deployables.{deployable}] a url, or MONOLIFT['URLS'] one for it."
            )
        places[label] = Place(
            deployable=deployable,
            route=REMOTE if elsewhere else transport(),
            alias=entry.get("database", DEFAULT_ALIAS),
        )
    return Topology(epoch=0, places=_on_databases(places, str(path)), deployables=deployables)


def _deployable(where: str, entry: Mapping[str, Any]) -> Deployable:
    _only(where, entry, {"url", "resilience"})
    made = Deployable(**entry)
    if made.url is not None and (
        not isinstance(made.url, str) or not made.url.startswith(("http://", "https://"))
    ):
        raise ImproperlyConfigured(
            f'{where}: url is {made.url!r}: give a URL, for example "http://inventory:8000".'
        )
    if made.resilience not in _RESILIENCE:
        raise ImproperlyConfigured(
            f"{where}: resilience is {made.resilience!r}: choose from {', '.join(_RESILIENCE)}."
        )
    return made


def _only(where: str, entry: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(entry.keys() - known):
        raise ImproperlyConfigured(
            f"{where} has {unknown[0]!r}. It may have: {', '.join(sorted(known))}."
        )


def _on_databases(places: dict[str, Place], where: str) -> dict[str, Place]:
    separate = os.environ.get("MONOLIFT_DATABASES") == "each"
    for label, place in places.items():
        if separate and label in settings.DATABASES:
            place = places[label] = replace(place, alias=label)
        if place.alias not in settings.DATABASES:
            raise ImproperlyConfigured(
                f"{where}: [modules.{label}] is on the database {place.alias!r}, "
                f"which DATABASES lacks. It has: {', '.join(sorted(settings.DATABASES))}."
            )
    return places


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        message = f"MONOLIFT['TOPOLOGY'] names {path}, which is missing."
        raise ImproperlyConfigured(message) from None
    except tomllib.TOMLDecodeError as error:
        raise ImproperlyConfigured(f"{path} is not valid TOML: {error}.") from None
