"""Kafka: what a key, an offset and a broker's refusal mean. On librdkafka's mock cluster."""

import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from monolift.events.streams import arrive
from monolift.events.streams.envelope import Arrived
from monolift.events.streams.port import Refused
from monolift.kernel import Unavailable
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from tests.library.running import eventually, free_port
from tests.library.streams.rigs import QUICKLY, TOPIC, KafkaRig, filled, kafka

pytestmark = [
    pytest.mark.django_db(databases="__all__", transaction=True),
    pytest.mark.skipif(not find_spec("confluent_kafka"), reason="confluent-kafka is not installed"),
]


@pytest.fixture
def rig() -> Iterator[KafkaRig]:
    """A shop and a warehouse around one Kafka."""
    with kafka() as made:
        yield made


def stream(url: str, **options: Any) -> Any:
    from monolift.events.streams.kafka import KafkaStream

    return KafkaStream(
        url=url, name="warehouse", publishers=lambda: ["stock"], timeout=1.0, options=options
    )


def test_events_of_a_key_share_a_partition(rig: KafkaRig) -> None:
    partitions: dict[str, set[int]] = {}
    for number in range(40):
        rig.sender.send(to="warehouse", batch=[filled(f"share-{number % 8}", number)])
    reader = rig.client.Consumer(
        {"bootstrap.servers": rig.url, "group.id": "onlooker", "auto.offset.reset": "earliest"}
    )
    reader.assign(
        [
            rig.client.TopicPartition(TOPIC, number, rig.client.OFFSET_BEGINNING)
            for number in range(4)
        ]
    )
    seen: list[Any] = []

    def read() -> bool:
        seen.extend(message for message in reader.consume(100, 0.2) if not message.error())
        return len([one for one in seen if one.key() and one.key().startswith(b"share-")]) >= 40

    eventually(read, what="all are there")
    reader.close()
    for message in seen:
        if message.key() and message.key().startswith(b"share-"):
            partitions.setdefault(message.key().decode(), set()).add(message.partition())
    assert all(len(places) == 1 for places in partitions.values())
    assert len(set.union(*partitions.values())) > 1


def test_an_offset_is_committed_after_its_event_is_kept(rig: KafkaRig) -> None:
    rig.sender.send(to="warehouse", batch=[filled("a", 1)])
    behind: list[bool] = []

    def look(batch: Sequence[Arrived]) -> None:
        behind.append(rig.behind())
        arrive.accept(batch)

    rig.take(accept=look)
    assert behind == [True]
    assert not rig.behind()


def test_what_failed_comes_again_before_what_is_new(rig: KafkaRig) -> None:
    order: list[str] = []
    failing = [True]

    def once(batch: Sequence[Arrived]) -> None:
        if failing.pop() if failing else False:
            raise ConnectionError("no database")
        order.extend(one.id for one in batch)

    first, second = filled("a", 1), filled("a", 2)
    rig.sender.send(to="warehouse", batch=[first])
    with pytest.raises(ConnectionError):
        rig.take(accept=once)
    rig.sender.send(to="warehouse", batch=[second])
    rig.take(accept=once)
    assert order == [first.id, second.id]


def test_a_message_without_a_value_is_kept(rig: KafkaRig) -> None:
    rig.put(None)
    rig.take()
    rows = fetch(topology().alias("sales"), "SELECT failure FROM monolift_delivery")
    assert len(rows) == 1
    assert "has no value" in rows[0][0]


def test_a_request_too_large_is_taken_apart(rig: KafkaRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker refuses a request for one message in it. The mock refuses nothing, so the
    producer's reports are changed on their way."""
    from confluent_kafka import KafkaError, Producer

    large = filled("b", 2)

    class Strict(Producer):
        """Reports all of a request as too large while the large one is in it."""

        def produce(self, *args: Any, on_delivery: Any, **options: Any) -> None:
            self.mine = [*getattr(self, "mine", []), options["value"]]

            def reported(error: Any, message: Any) -> None:
                tainted = any(large.id.encode() in one for one in self.mine)
                on_delivery(
                    KafkaError(KafkaError.MSG_SIZE_TOO_LARGE) if tainted else error, message
                )

            super().produce(*args, on_delivery=reported, **options)

    monkeypatch.setattr("monolift.events.streams.kafka.Producer", Strict)
    sender = rig.reader("shop")
    with pytest.raises(Refused, match="no message of that size") as refused:
        sender.send(to="warehouse", batch=[filled("a", 1), large, filled("c", 3)])
    assert list(refused.value.reasons) == [large.id]
    sender.stop()


def test_a_broker_that_is_away_is_unavailable_in_time() -> None:
    away = stream(f"127.0.0.1:{free_port()}", **QUICKLY)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="the Kafka stream is unavailable"):
        away.send(to="warehouse", batch=[filled("a", 1)])
    with pytest.raises(Unavailable):
        away.start()
    with pytest.raises(Unavailable):
        eventually(lambda: away.receive(accept=arrive.accept, wait=0.5), seconds=20)
    away.stop()
    assert time.monotonic() - begun < 30


def test_a_stream_that_was_stopped_is_used_again(rig: KafkaRig) -> None:
    rig.sender.send(to="warehouse", batch=[filled("a", 1)])
    rig.sender.stop()
    rig.sender.send(to="warehouse", batch=[filled("a", 2)])
    rig.source.stop()
    rig.take()
    assert fetch(topology().alias("sales"), "SELECT COUNT(*) FROM monolift_delivery") == [(2,)]


def test_what_cannot_be_used_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"STREAM_OPTIONS.*no\.such\.property"):
        stream("127.0.0.1:1", **{"no.such.property": 1}).start()


def test_what_was_sent_before_the_last_module_left_is_still_read(rig: KafkaRig) -> None:
    """Topics that the group has read before, and no others."""
    from monolift.events.streams.kafka import KafkaStream

    rig.sender.send(to="warehouse", batch=[filled("a", 1)])
    rig.take()
    rig.source.stop()
    sent = filled("a", 2)
    rig.sender.send(to="warehouse", batch=[sent])
    left = KafkaStream(
        url=rig.url,
        name="warehouse",
        publishers=list,
        others=lambda: ["stock", "orders"],
        timeout=10.0,
        options=QUICKLY,
    )
    stranger = KafkaStream(
        url=rig.url, name="stranger", publishers=list, others=lambda: ["stock"], options=QUICKLY
    )
    came: list[Arrived] = []
    try:
        eventually(lambda: left.receive(accept=came.extend, wait=0.2) or came)
        assert stranger.receive(accept=came.extend, wait=0.2) == 0
    finally:
        left.stop()
        stranger.stop()
    assert [one.id for one in came] == [sent.id]


def test_without_publishers_there_is_nothing_to_read(rig: KafkaRig) -> None:
    from monolift.events.streams.kafka import KafkaStream

    idle = KafkaStream(url=rig.url, name="idle", publishers=list)
    assert idle.receive(accept=arrive.accept, wait=0.01) == 0
    idle.stop()
