"""Kafka: what a key, an offset and a broker's refusal mean. On librdkafka's mock cluster."""

import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from monolift.events.streams import arrive
from monolift.events.streams.envelope import Arrived, Envelope
from monolift.events.streams.offsets import Told
from monolift.events.streams.port import Misplaced, Refused, UnderWay
from monolift.kernel import Unavailable
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from monolift.supervise.preflight import any_free_port
from tests.library.running import eventually
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


def post(rig: KafkaRig, *batch: Envelope) -> None:
    """Put events on their way."""
    with pytest.raises(UnderWay):
        rig.hasty.send(to="warehouse", batch=batch)


def test_events_of_a_key_share_a_partition(rig: KafkaRig) -> None:
    partitions: dict[str, set[int]] = {}
    for number in range(40):
        post(rig, filled(f"share-{number % 8}", number))
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
    post(rig, filled("a", 1))
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
    post(rig, first)
    with pytest.raises(ConnectionError):
        rig.take(accept=once)
    post(rig, second)
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
    rig.sender.stop()  # so that it makes a producer of that kind
    with pytest.raises(Refused, match="no message of that size") as refused:
        rig.send([filled("a", 1), large, filled("c", 3)])
    assert list(refused.value.reasons) == [large.id]
    rig.sender.stop()


def test_a_broker_that_is_away_is_unavailable_in_time() -> None:
    away = stream(f"127.0.0.1:{any_free_port()}", **QUICKLY)
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
    rig.send([filled("a", 1)])
    rig.sender.stop()
    rig.source.stop()
    rig.send([filled("a", 2)])
    assert fetch(topology().alias("sales"), "SELECT COUNT(*) FROM monolift_delivery") == [(2,)]


def test_what_cannot_be_used_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"STREAM_OPTIONS.*no\.such\.property"):
        stream("127.0.0.1:1", **{"no.such.property": 1}).start()


def test_what_was_sent_before_the_last_module_left_is_still_read(rig: KafkaRig) -> None:
    """Topics that the group has read before, and no others."""
    from monolift.events.streams.kafka import KafkaStream

    rig.send([filled("a", 1)])
    rig.source.stop()
    sent = filled("a", 2)
    post(rig, sent)
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


def test_what_is_told_of_a_partition() -> None:
    told = Told().and_then(7, kept=True).and_then(8, kept=False).and_then(9, kept=True)
    assert Told.read(told.next, told.written()) == told
    assert [told.kept(offset) for offset in (6, 7, 8, 9, 10)] == [False, True, False, True, None]


def test_after_a_gap_nothing_is_known_of_what_was_there() -> None:
    """The topic's retention may have taken it away before it was read."""
    told = Told().and_then(7, kept=True).and_then(12, kept=True)
    assert [told.kept(offset) for offset in (7, 9, 12, 13)] == [False, False, True, None]


def test_a_long_list_forgets_its_beginning() -> None:
    told = Told()
    for offset in range(1000):
        told = told.and_then(offset, kept=offset % 2 == 0)
    assert len(told.written()) < 4096
    assert told.kept(3) is False
    assert told.kept(4) is False, "not known any more, so it is sent again"
    assert [told.kept(998), told.kept(999)] == [True, False]


@pytest.mark.parametrize("metadata", ["", "of somebody else", "monolift/2 0", "monolift/1 -1"])
def test_an_offset_without_our_words_tells_nothing(metadata: str) -> None:
    assert Told.read(5, metadata).kept(4) is False
    assert Told.read(-1001, metadata).kept(4) is None, "nothing was committed"


def test_another_s_offset_is_no_answer(rig: KafkaRig) -> None:
    """A tool that moves a group's offset ahead keeps nothing: what it skipped is sent again."""
    sent = filled("skip", 1)
    with pytest.raises(UnderWay):
        rig.hasty.send(to="cellar", batch=[sent])
    tool = rig.client.Consumer({"bootstrap.servers": rig.url, "group.id": "cellar"})
    for number in tool.list_topics(timeout=10).topics[TOPIC].partitions:
        place = rig.client.TopicPartition(TOPIC, number)
        place.offset = tool.get_watermark_offsets(place, timeout=10)[1]
        tool.commit(offsets=[place], asynchronous=False)
    tool.close()
    with pytest.raises(Misplaced) as misplaced:
        rig.hasty.send(to="cellar", batch=[sent])
    assert misplaced.value.events == {sent.id}
