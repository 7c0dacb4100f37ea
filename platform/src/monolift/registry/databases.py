"""Databases that are one module's own.

    DATABASES["inventory"] = {
        "ENGINE": "monolift.db.postgresql",
        "USER": "monolift_inventory",
        ...,
        "MONOLIFT": {"module": "inventory", "owner": {"USER": "...", "PASSWORD": "..."}},
    }

Django leaves keys alone that it does not know. `owner` is who may change the tables there; only the
control deployable needs it, for a lift.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from monolift.registry.places import DEFAULT_ALIAS

_KNOWN = {"module", "owner", "peer"}


def own_module(alias: str) -> str | None:
    """The module that an alias is for; None for one that several modules share."""
    module = _said(alias).get("module")
    return None if module is None else str(module)


def owner(alias: str) -> Mapping[str, str]:
    """What differs when the owner of the tables connects: USER, PASSWORD."""
    return _part(alias, "owner")


def peer(alias: str) -> Mapping[str, str]:
    """What differs when another database server connects: HOST, PORT."""
    return _part(alias, "peer")


def is_own(module: str) -> bool:
    """Whether a module has a database of its own anywhere."""
    return any(own_module(alias) == module for alias in settings.DATABASES)


def owning_alias(alias: str) -> str:
    """The alias whose user owns the tables: the default one, where both are one database."""
    return DEFAULT_ALIAS if own_module(alias) and _same(alias, DEFAULT_ALIAS) else alias


def _same(one: str, other: str) -> bool:
    return _where(one) == _where(other)


def _where(alias: str) -> tuple[str, ...]:
    entry = settings.DATABASES[alias]
    return tuple(str(entry.get(name) or "") for name in ("NAME", "HOST", "PORT"))


def _part(alias: str, name: str) -> Mapping[str, str]:
    found: Mapping[str, str] = _said(alias).get(name, {})
    return found


def _said(alias: str) -> Mapping[str, Any]:
    said: Mapping[str, Any] = settings.DATABASES.get(alias, {}).get("MONOLIFT", {})
    if unknown := sorted(said.keys() - _KNOWN):
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}]['MONOLIFT'] has {unknown[0]!r}. It may have: "
            f"{', '.join(sorted(_KNOWN))}."
        )
    return said
