"""Which stream the settings choose."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from monolift.events.deliveries import Announced
from monolift.events.streams import chosen
from monolift.events.streams.envelope import decode
from monolift.events.streams.memory import Exchange, MemoryStream
from monolift.events.streams.port import UnderWay


@pytest.mark.parametrize(
    ("given", "kind", "read"),
    [
        ({}, "HttpStream", False),
        ({"STREAM": "redis", "STREAM_URL": "redis://127.0.0.1:1/0"}, "RedisStream", True),
        ({"STREAM": "kafka", "STREAM_URL": "127.0.0.1:1"}, "KafkaStream", True),
    ],
)
def test_the_settings_choose(
    settings: Settings, given: dict[str, Any], kind: str, read: bool
) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, **given}
    assert type(chosen.stream()).__name__ == kind
    assert (chosen.source() is chosen.stream()) is read


def test_a_missing_library_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(chosen._BROKERS, "kafka", "no_such_library.Stream")
    settings.MONOLIFT = {**settings.MONOLIFT, "STREAM": "kafka", "STREAM_URL": "127.0.0.1:1"}
    with pytest.raises(ImproperlyConfigured, match=r"no_such_library.*monolift\[kafka\]"):
        chosen.stream()


def test_events_are_sent_by_what_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange()
    monkeypatch.setattr(chosen, "stream", lambda: MemoryStream(exchange, name="shop", patience=0))
    event = Announced("stock", "e-1", "stock.filled.v1", "a", 7, '{"sku":"a","quantity":1}', "")
    with pytest.raises(UnderWay):
        chosen.send("warehouse", [event])
    (message,) = exchange.queues["warehouse"]
    assert decode(message).announced == event
