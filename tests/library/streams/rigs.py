"""Each kind of stream between a deployable `shop`, which sends, and `warehouse`, which receives."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import msgspec

from monolift.events.streams import arrive
from monolift.events.streams.envelope import Envelope
from monolift.events.streams.memory import Exchange, MemoryStream
from monolift.events.streams.port import Accept, Source, Stream
from monolift.kernel.ids import uuid7_text

WAIT = 0.2


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

    def another(self) -> Source:
        """A reader more for the warehouse."""
        ...


class Reading:
    """The receiving half of a kind that is read from."""

    sender: Stream
    source: Source

    def take(self) -> None:
        while self.source.receive(accept=arrive.accept, wait=WAIT):
            pass

    def carry(self, batch: Sequence[Envelope], *, accept: Accept) -> None:
        self.sender.send(to="warehouse", batch=batch)
        for _ in range(100):
            self.source.receive(accept=accept, wait=WAIT)

    def carry_again(self, batch: Sequence[Envelope]) -> None:
        """Whoever reads comes back, or another one in its place."""
        self.take()


class MemoryRig(Reading):
    def __init__(self) -> None:
        self.exchange = Exchange()
        self.sender = MemoryStream(self.exchange, name="shop")
        self.source = self.another()

    def another(self) -> Source:
        return MemoryStream(self.exchange, name="warehouse")

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
    """Send one after another, as a lane is: each when the one before is durable."""
    for envelope in batch:
        rig.sender.send(to="warehouse", batch=[envelope])
