"""The keys of `MONOLIFT["KEYS"]`: what this deployable signs with, and what it believes."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from monolift.registry.places import here
from monolift.registry.settings import setting
from monolift.transport.signing import Key, Signer, Verifier, by_id


@cache
def keys() -> tuple[Key, ...]:
    """All of them; ImproperlyConfigured for one that is no good, and for two of one id."""
    try:
        found = by_id(
            Key(**{**key, "secret": str(key["secret"]).encode()}) for key in setting("KEYS")
        )
        return tuple(found.values())
    except ValueError as error:
        raise ImproperlyConfigured(f"MONOLIFT['KEYS']: {error}") from None


@cache
def signer(to: str) -> Signer | None:
    """What signs requests to a deployable: the first of our keys that fits; None without one."""
    for key in keys():
        if key.issuer == here() and key.audience in (None, to):
            return Signer(key=key)
    return None


@cache
def verifier() -> Verifier:
    """What checks requests that come here. Without keys it refuses all."""
    return Verifier(audience=here(), keys=keys())


def check_keys(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """A key that is no good is told by `manage.py check`, not by the first request."""
    try:
        keys()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="monolift.E301")]
    return []


def register_key_check() -> None:
    """Let `manage.py check` run it."""
    register(check_keys)


def forget() -> None:
    """Read the settings anew at the next use."""
    for made in (keys, signer, verifier):
        made.cache_clear()


def _changed(*, setting: str, **_: Any) -> None:
    if setting == "MONOLIFT":
        forget()


setting_changed.connect(_changed, dispatch_uid="monolift.transport.trust")
