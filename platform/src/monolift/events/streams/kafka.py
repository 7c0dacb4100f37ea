"""Kafka: a topic for each publishing module, a consumer group for each deployable.

Order: the key is the event's subject, so that events of a key share a partition, which one consumer
of the group reads at a time. More partitions later give keys another place, and no order across the
change.

The sender keeps an event until the reader's group has committed its offset. With each offset the
reader commits, as its metadata, from where on it has read without a gap, and which of those events
are for modules that are elsewhere (`offsets.Told`): what a topic's retention took away before it
was read does not look as if it were kept, and is sent again.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from django.core.exceptions import ImproperlyConfigured

from monolift.events.streams.envelope import Arrived, Envelope, decode, read, rejected
from monolift.events.streams.kafka_answers import Answers
from monolift.events.streams.offsets import Place, Told
from monolift.events.streams.port import Accept, Misplaced
from monolift.events.streams.sending import PATIENCE, encoded, settle
from monolift.kernel.errors import Unavailable

_COUNT = 100
_LARGEST = 2 * 1024 * 1024  # bytes of a request, above the largest message
_POLL = 0.05
_MESSAGE_TYPE = b"application/cloudevents+json"
# A topic that nobody wrote to yet is none of a consumer's troubles: it waits for it.
_NO_TROUBLE = frozenset({KafkaError._PARTITION_EOF, KafkaError.UNKNOWN_TOPIC_OR_PART})

_log = logging.getLogger("monolift.streams.kafka")


_MOVED = frozenset(
    {
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
    }
)
"""Why an offset is not committed while partitions go to another reader: nothing is wrong."""


class KafkaStream:
    """See `port.Source`. Sends acknowledged by all replicas in sync, and without duplicates of its
    own; commits offsets after what they cover is kept.
    """

    def __init__(
        self,
        *,
        url: str,
        name: str,
        publishers: Callable[[], Sequence[str]],
        others: Callable[[], Sequence[str]] = tuple,
        timeout: float = 10.0,
        patience: float = PATIENCE,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """`url` is the bootstrap servers, `name` the deployable that it reads for.

        `publishers` are those whose topics it then reads. Of the `others` it reads those that its
        group has read before: modules may have left it since, and what had come for them by then
        is still to be answered. `timeout` is seconds for an answer of the brokers, `patience` those
        that `send` waits for one that reads. `options` are librdkafka's properties.
        """
        self._common = {**(options or {}), "bootstrap.servers": url}
        self._name = name
        self._publishers = publishers
        self._others = others
        self._timeout = timeout
        self._making = threading.Lock()
        self._answers = Answers(
            lambda properties: self._made(Consumer, properties), timeout=timeout, patience=patience
        )
        self._told: dict[Place, Told] = {}
        self._producer: Producer | None = None
        self._consumer: Consumer | None = None
        self._topics: list[str] = []
        self._asked: tuple[Sequence[str], ...] = ()
        self._trouble: KafkaError | None = None

    def send(self, *, to: str, batch: Sequence[Envelope]) -> None:
        """See `port.Stream`."""
        messages, refused = encoded(batch)
        until = time.monotonic() + self._timeout
        answers = self._answers
        fresh = [one for name, one in messages.items() if not answers.under_way(to, name)]
        too_large = self._send(to, fresh, until)
        for message in too_large:
            # The broker refuses requests; which of their messages is too large shows one by one.
            if self._send(to, [message], until):
                identifier = decode(message).id
                refused[identifier] = "The broker takes no message of that size."
                del messages[identifier]
        settle(to, misplaced=answers.until_kept(to, messages), refused=refused)

    def _send(self, to: str, messages: Sequence[bytes], until: float) -> list[bytes]:
        """Send messages; those in requests that were too large."""
        waiting: dict[int, bytes] = dict(enumerate(messages))
        failures: list[tuple[bytes, KafkaError]] = []
        if not messages:
            return []

        def report(number: int, identifier: str) -> Callable[[KafkaError | None, Message], None]:
            def reported(error: KafkaError | None, sent: Message) -> None:
                message = waiting.pop(number)
                if error is not None:
                    failures.append((message, error))
                else:
                    self._answers.sent(to, identifier, *_place(sent))

            return reported

        producer = self._produce()
        try:
            for number, message in enumerate(messages):
                envelope = decode(message)
                producer.produce(
                    topic(envelope.source),
                    value=message,
                    key=envelope.subject,
                    headers=[
                        ("to", to.encode()),
                        ("content-type", b"application/cloudevents+json"),
                    ],
                    on_delivery=report(number, envelope.id),
                )
            while waiting and time.monotonic() < until:
                producer.poll(_POLL)
        except (KafkaException, BufferError) as error:
            self._forget(producer)
            raise Unavailable("the Kafka stream", str(error)) from error
        if waiting:
            self._forget(producer)
            raise Unavailable("the Kafka stream", f"no answer within {self._timeout:g} s")
        if failures:
            self._forget(producer)
            for _, failure in failures:
                if failure.code() != KafkaError.MSG_SIZE_TOO_LARGE:
                    raise self._unavailable(failure)
        return [message for message, _ in failures]

    def _produce(self) -> Producer:
        with self._making:
            if self._producer is None:
                self._producer = self._made(
                    Producer,
                    {
                        "message.max.bytes": _LARGEST,
                        "partitioner": "murmur2_random",  # as Kafka's own clients
                        "message.timeout.ms": int(self._timeout * 1000),
                        "enable.idempotence": True,
                    },
                )
            return self._producer

    def _forget(self, producer: Producer) -> None:
        """Begin anew after a failure: what still waits in this one would come late."""
        with self._making:
            if self._producer is producer:
                self._producer = None
        producer.purge()

    def start(self) -> None:
        """See `port.Source`."""
        try:
            self._consume().list_topics(timeout=self._timeout)
        except KafkaException as error:
            raise self._unavailable(error.args[0]) from error

    def receive(self, *, accept: Accept, wait: float) -> int:
        """See `port.Source`."""
        self._trouble = None
        try:
            consumer = self._consume()
            # The first when it comes, and what is there by then: `consume` would wait for all.
            first = consumer.poll(wait)
            polled = [] if first is None else [first, *consumer.consume(_COUNT, timeout=0)]
        except (KafkaException, RuntimeError) as error:
            self._leave()
            raise Unavailable("the Kafka stream", str(error)) from error
        messages = [message for message in polled if message.error() is None]
        if messages:
            self._take(consumer, messages, accept)
            return len(messages)
        troubles = [message.error() for message in polled]
        for trouble in (*troubles, self._trouble):
            if trouble is not None and trouble.code() not in _NO_TROUBLE:
                raise self._unavailable(trouble)
        return 0

    def _take(self, consumer: Consumer, messages: Sequence[Message], accept: Accept) -> None:
        first: dict[Place, int] = {}
        told: dict[Place, Told] = {}
        for message in messages:
            place, offset = _place(message)
            first.setdefault(place, offset)
        mine = [(message, _arrived(message)) for message in messages if self._is_ours(message)]
        misplaced: frozenset[str] = frozenset()
        try:
            if mine:
                accept([arrived for _, arrived in mine])
        except Misplaced as error:
            misplaced = error.events
        except Exception:
            self._rewind(consumer, first)
            raise
        elsewhere = {_place(message) for message, one in mine if one.id in misplaced}
        for message in messages:
            place, offset = _place(message)
            before = told.get(place) or self._told.get(place) or Told()
            told[place] = before.and_then(offset, kept=(place, offset) not in elsewhere)
        try:
            consumer.commit(
                offsets=[
                    TopicPartition(*place, one.next, metadata=one.written())
                    for place, one in told.items()
                ],
                asynchronous=False,
            )
            self._told |= told
        except KafkaException as error:
            # All is kept. Whoever has the partition now reads it again.
            if error.args[0].code() not in _MOVED:
                raise self._unavailable(error.args[0]) from error

    def _rewind(self, consumer: Consumer, first: Mapping[tuple[str, int], int]) -> None:
        try:
            for place, offset in first.items():
                consumer.seek(TopicPartition(*place, offset))
        except KafkaException:
            self._leave()  # and begin anew where the last commit was

    def _is_ours(self, message: Message) -> bool:
        headers: Any = message.headers() or []
        return dict(headers).get("to") == self._name.encode()

    def _consume(self) -> Consumer:
        if self._consumer is None:
            self._consumer = self._made(
                Consumer,
                {
                    "group.id": self._name,
                    "auto.offset.reset": "earliest",
                    "enable.auto.commit": False,
                    "enable.auto.offset.store": False,
                    "topic.metadata.refresh.interval.ms": 10_000,  # when new topics are seen
                    "error_cb": self._note,
                },
            )
            self._topics, self._asked = [], ()
            self._told = {}
        asked = (self._publishers(), self._others())
        if asked != self._asked:
            wanted = [topic(publisher) for publisher in asked[0]]
            wanted += self._read_before([topic(publisher) for publisher in asked[1]])
            if wanted != self._topics:
                self._consumer.subscribe(wanted) if wanted else self._consumer.unsubscribe()
            self._topics, self._asked = wanted, asked
        return self._consumer

    def _read_before(self, topics: Sequence[str]) -> list[str]:
        """Those of the topics in which the group has committed an offset."""
        if not topics or self._consumer is None:
            return []
        known = self._consumer.list_topics(timeout=self._timeout).topics
        places = [
            TopicPartition(name, partition)
            for name in topics
            if name in known
            for partition in known[name].partitions
        ]
        if not places:
            return []
        committed = self._consumer.committed(places, timeout=self._timeout)
        return sorted({place.topic for place in committed if place.offset >= 0})

    def _note(self, error: KafkaError) -> None:
        self._trouble = error

    def _leave(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()

    def _made[C](self, cls: Callable[..., C], properties: dict[str, Any]) -> C:
        try:
            return cls({**self._common, **properties}, logger=_log)
        except KafkaException as error:
            raise ImproperlyConfigured(
                f"MONOLIFT['STREAM_URL'] or ['STREAM_OPTIONS'] cannot be used: {error}."
            ) from error

    def stop(self) -> None:
        """See `port.Stream`. Leaves the group, so that others read on at once."""
        self._leave()
        with self._making:
            producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
        self._answers.stop()

    @staticmethod
    def _unavailable(error: KafkaError) -> Unavailable:
        return Unavailable("the Kafka stream", error.str())


def topic(publisher: str) -> str:
    """The topic of a publishing module."""
    return f"monolift.events.{publisher}"


def _place(message: Message) -> tuple[Place, int]:
    # Typed as perhaps missing, which they are for messages that were not read from a broker only.
    return (str(message.topic()), int(message.partition() or 0)), int(message.offset() or 0)


def _arrived(message: Message) -> Arrived:
    value = message.value()
    publisher = str(message.topic()).removeprefix(topic(""))
    if value is None:
        return rejected(repr(_place(message)).encode(), "It has no value.", source=publisher)
    return read(value if isinstance(value, bytes) else str(value).encode(), source=publisher)
