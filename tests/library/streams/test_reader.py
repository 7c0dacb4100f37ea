"""The thread that reads: it goes on after anything, and ends when told."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest
from pytest_django import Settings

from monolift.events.streams.envelope import Arrived
from monolift.events.streams.memory import Exchange, MemoryStream
from monolift.events.streams.port import UnderWay
from monolift.events.streams.reader import Reader
from tests.library.running import eventually
from tests.library.streams.rigs import filled


class Kept(list[str]):
    """An `accept` that fails as often as it was told to, then notes what came."""

    failures = 0

    def __call__(self, batch: Sequence[Arrived]) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("no database")
        self.extend(one.id for one in batch)


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def reader(exchange: Exchange, kept: Kept, settings: Settings) -> Iterator[Reader]:
    """A reader for the warehouse that runs."""
    settings.MONOLIFT = {**settings.MONOLIFT, "BACKOFF": 0.01, "BACKOFF_MAX": 0.02}
    made = Reader(MemoryStream(exchange, name="warehouse"), accept=kept, wait=0.05)
    made.start()
    yield made
    assert made.stop(timeout=10)


def send(exchange: Exchange, number: int) -> str:
    sent = filled("a", number)
    with suppress(UnderWay):
        MemoryStream(exchange, name="shop", patience=0).send(to="warehouse", batch=[sent])
    return sent.id


def test_it_reads_what_comes(exchange: Exchange, kept: Kept, reader: Reader) -> None:
    sent = [send(exchange, 1), send(exchange, 2)]
    eventually(lambda: kept == sent, what="both are kept")


def test_it_goes_on_after_failures(
    exchange: Exchange, kept: Kept, reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    kept.failures = 5
    sent = [send(exchange, 1)]
    eventually(lambda: kept == sent, what="it is kept at last")
    exchange.reachable = False
    eventually(lambda: "cut off" in caplog.text, what="it is told")
    exchange.reachable = True
    sent.append(send(exchange, 2))
    eventually(lambda: kept == sent, what="it reads again")
    told = [record for record in caplog.records if "no database" in record.getMessage()]
    assert len(told) == 1, "five failures in a row are told once"


def test_it_ends_when_told(exchange: Exchange, kept: Kept, reader: Reader) -> None:
    assert reader.stop(timeout=10)
    send(exchange, 1)
    assert kept == []
