"""The topology file: what exists, and where each module starts."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from monolift.registry.locations import located
from monolift.registry.modules import modules
from monolift.registry.places import (
    DEFAULT_ALIAS,
    REMOTE,
    Deployable,
    Place,
    Topology,
    check_alias,
    here,
    placed,
    rehearsed,
)
from monolift.registry.settings import setting

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_RESILIENCE = ("own", "mesh")
_MOST_REPLICAS = 1000


def declared() -> Topology:
    """The topology that the file describes, epoch 0."""
    path = setting("TOPOLOGY")
    rehearsal = rehearsed()
    for label in rehearsal.modules if rehearsal else ():
        if label not in modules():
            raise ImproperlyConfigured(
                f"{label!r} is to be rehearsed and is not an installed module. Installed: "
                f"{', '.join(sorted(modules()))}."
            )
    if not path:
        places = {label: placed(deployable=here()) for label in modules()}
        places = _on_databases(places, "DATABASES")
        return Topology(places=places, rehearsal=rehearsal)
    return replace(read_topology(Path(path)), rehearsal=rehearsal)


def read_topology(path: Path) -> Topology:
    """What a file describes; ImproperlyConfigured names the entry that is wrong."""
    document = _read(path)
    if unknown := sorted(document.keys() - {"databases", "deployables", "modules"}):
        raise ImproperlyConfigured(
            f"{path}: [{unknown[0]}] is none of [deployables.NAME], [databases.NAME] and "
            "[modules.NAME]."
        )
    for name, entry in _tables(path, document, "databases"):
        # One that DATABASES lacks may be another deployable's: a lift that needs it here says so.
        _only(f"{path}: [databases.{name}]", entry, set())
    deployables = {
        name: _deployable(f"{path}: [deployables.{name}]", name, entry)
        for name, entry in _tables(path, document, "deployables")
    }
    deployables = deployables or {here(): Deployable()}
    if here() not in deployables:
        raise ImproperlyConfigured(
            f"{path}: this process is the deployable {here()!r} (MONOLIFT_DEPLOYABLE), which "
            f"[deployables] lacks. It has: {', '.join(sorted(deployables))}."
        )
    known = modules()
    places = {label: placed(deployable=here()) for label in known}
    for label, entry in _tables(path, document, "modules"):
        where = f"{path}: [modules.{label}]"
        if label not in known:
            raise ImproperlyConfigured(
                f"{where} is not an installed module. Installed: {', '.join(sorted(known))}."
            )
        _only(where, entry, {"deployable", "database"})
        deployable = _text(where, entry, "deployable", here())
        if deployable not in deployables:
            raise ImproperlyConfigured(
                f"{where} runs in {deployable!r}, which [deployables] lacks. It has: "
                f"{', '.join(sorted(deployables))}."
            )
        alias = _text(where, entry, "database", DEFAULT_ALIAS)
        place = placed(deployable=deployable, alias=alias)
        reached = deployables[deployable].url or deployable in setting("URLS")
        if place.route == REMOTE and not reached:
            raise ImproperlyConfigured(
                f"{where} runs in {deployable!r}, and nothing says where that is. Give "
                f"[deployables.{deployable}] a url, or MONOLIFT['URLS'] one for it."
            )
        places[label] = place
    return Topology(places=_on_databases(places, str(path)), deployables=deployables)


def _tables(path: Path, document: Mapping[str, Any], kind: str) -> list[tuple[str, Any]]:
    """The entries of one kind, by their names."""
    found = document.get(kind, {})
    if not isinstance(found, dict):
        raise ImproperlyConfigured(
            f"{path}: {kind} is no table of tables: write [{kind}.NAME] for each of them."
        )
    return [*found.items()]


def _text(where: str, entry: Mapping[str, Any], name: str, default: str) -> str:
    given = entry.get(name, default)
    if not isinstance(given, str):
        raise ImproperlyConfigured(
            f'{where}: {name} is {given!r}: give one name, {name} = "{default}".'
        )
    return given


def _deployable(where: str, name: str, entry: Mapping[str, Any]) -> Deployable:
    if not _NAME.fullmatch(name):
        raise ImproperlyConfigured(
            f"{where}: a signed request cannot name it. Call it by 1 to 100 letters, digits, '_', "
            "'.' and '-', a letter or digit first."
        )
    _only(where, entry, {"url", "resilience", "replicas"})
    if "replicas" in entry:
        entry = {**entry, "replicas": _replicas(where, entry["replicas"])}
    made = Deployable(**entry)
    if made.url is not None:
        try:
            located(made.url)
        except ValueError as error:
            raise ImproperlyConfigured(f"{where}: {error}.") from None
    if made.resilience not in _RESILIENCE:
        raise ImproperlyConfigured(
            f"{where}: resilience is {made.resilience!r}: choose from {', '.join(_RESILIENCE)}."
        )
    return made


def _replicas(where: str, given: Any) -> tuple[int, int]:
    match given:
        case [int() as fewest, int() as most] if (
            not isinstance(fewest, bool)
            and not isinstance(most, bool)
            and 1 <= fewest <= most <= _MOST_REPLICAS
        ):
            return fewest, most
        case _:
            raise ImproperlyConfigured(
                f"{where}: replicas is {given!r}: give the fewest and the most, 1 to "
                f"{_MOST_REPLICAS}, for example [2, 6]."
            )


def _only(where: str, entry: Any, known: set[str]) -> None:
    if not isinstance(entry, dict):
        raise ImproperlyConfigured(
            f"{where} is {entry!r}, which is no table: write it as a heading, and below it what it "
            f"has: {', '.join(sorted(known)) or 'nothing'}."
        )
    if unknown := sorted(entry.keys() - known):
        raise ImproperlyConfigured(
            f"{where} has {unknown[0]!r}. It may have: {', '.join(sorted(known))}."
        )


def _on_databases(places: dict[str, Place], where: str) -> dict[str, Place]:
    separate = os.environ.get("MONOLIFT_DATABASES") == "each"
    for label, place in places.items():
        if separate and label in settings.DATABASES:
            place = places[label] = replace(place, alias=label)
        check_alias(f"{where}: [modules.{label}]", place)
    return places


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"MONOLIFT['TOPOLOGY'] names {path}, which is missing."
        raise ImproperlyConfigured(message) from None
    except OSError as error:
        message = f"MONOLIFT['TOPOLOGY'] names {path}, which cannot be read: {error.strerror}."
        raise ImproperlyConfigured(message) from None
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8, as TOML is: look at its byte {error.start}."
        raise ImproperlyConfigured(message) from None
    except tomllib.TOMLDecodeError as error:
        raise ImproperlyConfigured(f"{path} is not valid TOML: {error}.") from None
