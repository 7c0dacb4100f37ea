"""The stream and the keys that the settings choose."""

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from monolift.events.deliveries import Announced
from monolift.events.streams.arrive import publishers
from monolift.events.streams.envelope import Envelope
from monolift.events.streams.port import Source, Stream
from monolift.registry.settings import setting
from monolift.registry.topology import here
from monolift.transport.signing import Key, Signer, Verifier

# Named, not imported: each needs a library of its own.
_BROKERS = {
    "redis": "monolift.events.streams.redis.RedisStream",
    "kafka": "monolift.events.streams.kafka.KafkaStream",
}


@cache
def stream() -> Stream:
    """The way to other deployables that `MONOLIFT["STREAM"]` names; ImproperlyConfigured."""
    kind = setting("STREAM")
    if kind == "http":
        from monolift.events.streams.http import HttpStream

        return HttpStream(
            urls=setting("URLS"), signers=signers(), options=setting("STREAM_OPTIONS")
        )
    try:
        cls = import_string(_BROKERS[kind])
    except ModuleNotFoundError as error:
        raise ImproperlyConfigured(
            f"MONOLIFT['STREAM'] is {kind!r}, and {error.name} is not installed. Install "
            f"monolift[{kind}]."
        ) from error
    made: Source = cls(
        url=setting("STREAM_URL"),
        name=here(),
        publishers=publishers,
        options=setting("STREAM_OPTIONS"),
    )
    return made


def source() -> Source | None:
    """The stream that this deployable reads from; None where senders come in by themselves."""
    return None if setting("STREAM") == "http" else cast(Source, stream())


def send(target: str, events: Sequence[Announced]) -> None:
    """Give events to a deployable; see `port.Stream` for what it promises and raises."""
    stream().send(to=target, batch=[Envelope.of(event) for event in events])


@cache
def keys() -> tuple[Key, ...]:
    """The keys of `MONOLIFT["KEYS"]`; ImproperlyConfigured for one that is no good."""
    try:
        return tuple(
            Key(**{**key, "secret": str(key["secret"]).encode()}) for key in setting("KEYS")
        )
    except ValueError as error:
        raise ImproperlyConfigured(f"MONOLIFT['KEYS']: {error}") from None


@cache
def signers() -> dict[str, Signer]:
    """What this deployable signs with, by receiver: the first of its keys that fits."""
    own = [key for key in keys() if key.issuer == here()]
    found: dict[str, Signer] = {}
    for to in setting("URLS"):
        key = next((key for key in own if key.audience in (None, to)), None)
        if key is not None:
            found[to] = Signer(key=key)
    return found


@cache
def verifier() -> Verifier:
    """What checks requests that come here. Without keys it refuses all."""
    try:
        return Verifier(audience=here(), keys=keys())
    except ValueError as error:
        raise ImproperlyConfigured(f"MONOLIFT['KEYS']: {error}") from None


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "MONOLIFT":
        for made in (stream, keys, signers, verifier):
            made.cache_clear()


setting_changed.connect(_forget, dispatch_uid="monolift.events.streams.chosen")
