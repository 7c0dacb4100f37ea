"""Each kind of stream between a deployable `shop`, which sends, and `warehouse`, which receives."""

import logging
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import msgspec
import pytest
import redis as redis_py
import urllib3
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from pytest_django import Settings

from monolift.events.streams import arrive, chosen
from monolift.events.streams.envelope import BATCH_TYPE, Envelope, join
from monolift.events.streams.http import PATH
from monolift.events.streams.memory import Exchange, MemoryStream
from monolift.events.streams.port import Accept, Source, Stream, UnderWay
from monolift.events.streams.redis import RedisStream, stream_key
from monolift.kernel.ids import uuid7_text
from monolift.supervise.preflight import any_free_port
from monolift.transport.signing import Key, Signer, Verifier
from tests.library.running import eventually

WAIT = 0.2
PATIENT = 30.0


def filled(sku: str, quantity: int, **changes: Any) -> Envelope:
    """An envelope of `stock.filled.v1`, which sales notes as a mail `sku:quantity`."""
    document = {
        "specversion": "1.0",
        "id": uuid7_text(),
        "type": "stock.filled.v1",
        "source": "stock",
        "time": "2026-11-23T10:00:00Z",
        "datacontenttype": "application/json",
        "subject": sku,
        "data": {"sku": sku, "quantity": quantity},
        "number": str(1_763_900_000_000_000 + quantity),
    }
    return msgspec.json.decode(msgspec.json.encode(document | changes), type=Envelope)


class Rig(Protocol):
    """What the suite needs of a kind."""

    sender: Stream

    def send(self, batch: Sequence[Envelope], *, accept: Accept = arrive.accept) -> None:
        """Send, while the warehouse receives, until it has all; what the sender raises."""
        ...

    def put(self, *messages: bytes) -> None:
        """Bring messages to the warehouse as they are, past the sender."""
        ...

    def take(self) -> None:
        """Let the warehouse receive all there is."""
        ...

    def carry(self, batch: Sequence[Envelope], *, accept: Accept) -> None:
        """Send, and receive with `accept`; what it raises comes out here, or as Unavailable."""
        ...

    def carry_again(self, batch: Sequence[Envelope]) -> None:
        """What follows when that failed."""
        ...

    def cut(self) -> None:
        """Take the other side away."""
        ...

    def mend(self) -> None:
        """Bring it back."""
        ...


class Broker(Rig, Protocol):
    """A kind that is read from."""

    hasty: Stream
    """A sender that does not wait: what it sends is UnderWay."""

    def take(self, *, accept: Accept = arrive.accept) -> None:
        """Let the warehouse receive all there is."""
        ...

    def reader(self, name: str) -> Source:
        """The stream of another deployable."""
        ...

    def lose(self) -> None:
        """Empty what lies between the two."""
        ...

    def another(self) -> Source:
        """A reader more for the warehouse."""
        ...


class Reading:
    """The receiving half of a kind that is read from."""

    sender: Stream
    hasty: Stream
    source: Source

    def send(self, batch: Sequence[Envelope], *, accept: Accept = arrive.accept) -> None:
        def sending() -> None:
            try:
                self.sender.send(to="warehouse", batch=batch)
            except Exception as error:
                raised.append(error)

        raised: list[Exception] = []
        thread = threading.Thread(target=sending)
        thread.start()
        try:
            while thread.is_alive():
                self.source.receive(accept=accept, wait=0.02)
        finally:
            thread.join()
            if raised:
                raise raised[0]

    def take(self, *, accept: Accept = arrive.accept) -> None:
        while self.source.receive(accept=accept, wait=WAIT):
            pass

    def carry(self, batch: Sequence[Envelope], *, accept: Accept) -> None:
        with suppress(UnderWay):
            self.hasty.send(to="warehouse", batch=batch)
        for _ in range(100):
            self.source.receive(accept=accept, wait=WAIT)

    def carry_again(self, batch: Sequence[Envelope]) -> None:
        """Whoever reads comes back, or another one in its place; and the sender, with its row."""
        self.send(batch)


class MemoryRig(Reading):
    def __init__(self) -> None:
        self.exchange = Exchange()
        self.sender = MemoryStream(self.exchange, name="shop", patience=PATIENT)
        self.hasty = MemoryStream(self.exchange, name="shop", patience=0)
        self.source = self.another()

    def another(self) -> Source:
        return self.reader("warehouse")

    def reader(self, name: str) -> Source:
        return MemoryStream(self.exchange, name=name)

    def lose(self) -> None:
        self.exchange.empty()

    def put(self, *messages: bytes) -> None:
        self.exchange.put("warehouse", messages)

    def cut(self) -> None:
        self.exchange.reachable = False

    def mend(self) -> None:
        self.exchange.reachable = True


@contextmanager
def memory(**_: Any) -> Iterator[MemoryRig]:
    yield MemoryRig()


def send_all(rig: Rig, batch: Sequence[Envelope]) -> None:
    """Send one after another, as a lane is: each when the one before is kept."""
    for envelope in batch:
        rig.send([envelope])


SECRET = "w" * 32
KEYS = ({"id": "shop-1", "secret": SECRET, "issuer": "shop"},)


class HttpRig:
    """A warehouse that serves the view, in the test's process."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.port = any_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.connections = 0
        self.handlers: list[threading.Thread] = []
        settings.ROOT_URLCONF = "tests.library.streams.urls"
        settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": KEYS, "URLS": {"warehouse": self.url}}
        chosen.stream()  # made while this is the shop
        self.mend()

    @property
    def sender(self) -> Stream:
        return chosen.stream()

    def send(self, batch: Sequence[Envelope], *, accept: Accept = arrive.accept) -> None:
        with self.monkeypatch.context() as patch:
            patch.setattr("monolift.events.streams.receive.take", accept)
            self.sender.send(to="warehouse", batch=batch)

    def put(self, *messages: bytes) -> None:
        status, body = self.post(join(messages))
        assert status == 204, body

    def post(self, body: bytes, **changes: Any) -> tuple[int, dict[str, Any]]:
        """Send a body, rightly signed but for the changes."""
        signed = {"audience": "warehouse", "method": "POST", "path": PATH, "body": body}
        signed |= {name: changes.pop(name) for name in [*changes] if name in {*signed, "now"}}
        key = changes.pop("key", Key(id="shop-1", secret=SECRET.encode(), issuer="shop"))
        token = Signer(key=key).sign(**signed)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": BATCH_TYPE}
        headers |= changes.pop("headers", {})
        method = changes.pop("verb", "POST")
        target = changes.pop("target", PATH)
        assert not changes, changes
        # A pool of its own: a connection that is kept keeps the server's thread.
        with urllib3.HTTPConnectionPool("127.0.0.1", self.port) as pool:
            answer = pool.request(method, target, body=body, headers=headers, retries=False)
        if answer.status == 204:
            return 204, {}
        assert answer.headers["Content-Type"] == "application/problem+json", answer.data
        return answer.status, answer.json()

    def take(self) -> None:
        """What was sent is there already."""

    def carry(self, batch: Sequence[Envelope], *, accept: Accept) -> None:
        self.send(batch, accept=accept)

    def carry_again(self, batch: Sequence[Envelope]) -> None:
        """The row of the hand-over is still there, so the sender comes again."""
        self.sender.send(to="warehouse", batch=batch)

    def cut(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def mend(self) -> None:
        self.server = _Server(("127.0.0.1", self.port), _Handler, connections_override={})
        self.server.rig = self
        self.server.set_app(WSGIHandler())
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()


class _Server(ThreadedWSGIServer):
    def process_request_thread(self, *arguments: Any) -> None:
        self.rig.handlers.append(threading.current_thread())
        super().process_request_thread(*arguments)


class _Handler(WSGIRequestHandler):
    def setup(self) -> None:
        self.server.rig.connections += 1
        super().setup()

    def log_message(self, *_: Any) -> None:
        """Silent."""


@contextmanager
def http(settings: Settings, monkeypatch: pytest.MonkeyPatch, **_: Any) -> Iterator[HttpRig]:
    # The shop signs as itself; the same process is the warehouse to whoever comes in.
    receiver = Verifier(
        audience="warehouse", keys=[Key(**{**key, "secret": SECRET.encode()}) for key in KEYS]
    )
    monkeypatch.setattr(
        "monolift.transport.signed.trust", SimpleNamespace(verifier=lambda: receiver)
    )
    rig = HttpRig(settings, monkeypatch)
    try:
        yield rig
    finally:
        chosen.stream().stop()
        rig.cut()
        for handler in rig.handlers:
            handler.join()  # each has connections to databases that go away


class RedisServer:
    """A Redis of a test's own; it keeps nothing on disk unless it is `durable`."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.port = any_free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._options = ("--appendonly", "yes", "--appendfsync", "always") if durable else ()
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                "redis-server", "--port", str(self.port), "--bind", "127.0.0.1",
                "--dir", str(self._folder), "--save", "", *self._options,
            ],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        eventually(self._ready, what="Redis answers")

    def _ready(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis_py.RedisError:
            return False

    def client(self) -> "redis_py.Redis":
        return redis_py.Redis.from_url(self.url, socket_timeout=5)

    def kill(self) -> None:
        """As a machine that loses power: no farewell."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


LEASE = 0.5


class RedisRig(Reading):
    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.sender = self.reader("shop")
        self.hasty = self.reader("shop", patience=0)
        self.source = self.another()

    def reader(self, name: str, *, patience: float = PATIENT) -> RedisStream:
        return RedisStream(
            url=self.server.url,
            name=name,
            publishers=lambda: ["stock"],
            lease=LEASE,
            patience=patience,
        )

    def lose(self) -> None:
        with self.server.client() as client:
            client.flushall()

    def another(self) -> RedisStream:
        return self.reader("warehouse")

    def put(self, *messages: bytes) -> None:
        with self.server.client() as client:
            for message in messages:
                client.xadd(stream_key("stock"), {"to": "warehouse", "event": message})

    def cut(self) -> None:
        self.server.kill()

    def mend(self) -> None:
        self.server.start()


@contextmanager
def redis(folder: Path, *, durable: bool = False, **_: Any) -> Iterator[RedisRig]:
    server = RedisServer(folder, durable=durable)
    rig = RedisRig(server)
    try:
        yield rig
    finally:
        for stream in (rig.sender, rig.hasty, rig.source):
            stream.stop()
        server.stop()


# So that a group is formed in seconds; the mock cluster takes three for the first of its members.
# The mock cluster answers a fetch that waits at its end only, whatever has come meanwhile.
QUICKLY = {"session.timeout.ms": 3000, "heartbeat.interval.ms": 200, "fetch.wait.max.ms": 20}
TOPIC = "monolift.events.stock"


class KafkaRig(Reading):
    """Around librdkafka's mock cluster, which lives in a producer and keeps all in memory.

    Made once: to join a group takes seconds. Each test ends with everything read.
    """

    def __init__(self) -> None:
        self.mend()

    def reader(self, name: str, *, patience: float = PATIENT) -> Any:
        from monolift.events.streams.kafka import KafkaStream

        return KafkaStream(
            url=self.url,
            name=name,
            publishers=lambda: ["stock"],
            timeout=5.0,
            patience=patience,
            options=QUICKLY,
        )

    def lose(self) -> None:
        """The cluster is made anew. Senders and readers that knew the old one come back to it."""
        self.cut()
        self.mend()

    def another(self) -> Any:
        self.source.stop()  # or it would hold its partitions without reading them
        return self.reader("warehouse")

    def put(self, *messages: bytes | None) -> None:
        producer = self.client.Producer(
            {"bootstrap.servers": self.url, "message.max.bytes": 2_000_000}
        )
        for message in messages:
            producer.produce(TOPIC, message, key="p", headers={"to": b"warehouse"})
        assert producer.flush(10) == 0

    def take(self, *, accept: Accept = arrive.accept) -> None:
        while self.behind():
            self.source.receive(accept=accept, wait=WAIT)

    def behind(self) -> bool:
        """Whether the warehouse has not committed all there is."""
        Place = self.client.TopicPartition
        known = self.onlooker.list_topics(timeout=10).topics.get(TOPIC)
        places = [Place(TOPIC, number) for number in known.partitions] if known else []
        return any(
            max(place.offset, 0) < self.onlooker.get_watermark_offsets(place, timeout=10)[1]
            for place in self.onlooker.committed(places, timeout=10)
        )

    def cut(self) -> None:
        self.leave()
        self.cluster.close()

    def mend(self) -> None:
        import confluent_kafka

        self.client = confluent_kafka
        self.cluster = confluent_kafka.Producer(
            {"test.mock.num.brokers": 1, "log_level": 2}, logger=logging.getLogger("mock")
        )
        brokers = self.cluster.list_topics(timeout=10).brokers.values()
        self.url = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        self.onlooker = confluent_kafka.Consumer(
            {"bootstrap.servers": self.url, "group.id": "warehouse", "log_level": 2}
        )
        self.sender = self.reader("shop")
        self.hasty = self.reader("shop", patience=0)
        self.source = self.reader("warehouse")

    def leave(self) -> None:
        self.onlooker.close()
        for stream in (self.sender, self.hasty, self.source):
            stream.stop()


_kafka: KafkaRig | None = None


@contextmanager
def kafka(**_: Any) -> Iterator[KafkaRig]:
    global _kafka
    if _kafka is None:
        _kafka = KafkaRig()
    yield _kafka
    _kafka.take(accept=lambda batch: None)


def end_kafka() -> None:
    """At the end of all tests."""
    global _kafka
    if _kafka is not None:
        _kafka.cut()
        _kafka = None
