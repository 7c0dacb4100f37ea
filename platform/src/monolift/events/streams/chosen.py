"""The stream that the settings choose."""

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from monolift.events.deliveries import Announced
from monolift.events.streams.arrive import others, publishers
from monolift.events.streams.envelope import Envelope
from monolift.events.streams.port import Source, Stream
from monolift.registry.places import here
from monolift.registry.settings import setting
from monolift.registry.topology import urls
from monolift.transport.trust import signer

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

        known = urls()
        signers = {to: found for to in known if (found := signer(to)) is not None}
        return HttpStream(urls=known, signers=signers, options=setting("TLS"))
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
        others=others,
        options=setting("STREAM_OPTIONS"),
    )
    return made


def source() -> Source | None:
    """The stream that this deployable reads from; None where senders come in by themselves."""
    return None if setting("STREAM") == "http" else cast(Source, stream())


def send(target: str, events: Sequence[Announced]) -> None:
    """Give events to a deployable; see `port.Stream` for what it promises and raises."""
    stream().send(to=target, batch=[Envelope.of(event) for event in events])


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "MONOLIFT":
        stream.cache_clear()


setting_changed.connect(_forget, dispatch_uid="monolift.events.streams.chosen")
