"""Redis Streams: who reads, what is answered, what is trimmed, and what a server may lose."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from django.core.exceptions import ImproperlyConfigured

from monolift.events.streams import arrive
from monolift.events.streams.envelope import Arrived, Envelope, encode
from monolift.events.streams.port import UnderWay
from monolift.events.streams.redis import RedisStream, answers_key, lease_key, stream_key
from monolift.kernel import Unavailable
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from monolift.testing.scenario import Scenario
from tests.library.running import ROOT, environment, eventually
from tests.library.streams.rigs import WAIT, RedisRig, filled, redis
from tests.library.world.sales.models import Mail

pytestmark = [
    pytest.mark.redis,
    pytest.mark.django_db(databases="__all__", transaction=True),
    pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed"),
]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[RedisRig]:
    """A shop and a warehouse around a Redis of their own."""
    with redis(folder=tmp_path) as made:
        yield made


class Kept(list[str]):
    """An `accept` that notes what came."""

    def __call__(self, batch: Sequence[Arrived]) -> None:
        self.extend(one.id for one in batch)


def send(rig: RedisRig, *numbers: int, to: str = "warehouse") -> list[str]:
    """Put events on their way."""
    batch = [filled("a", number) for number in numbers]
    post(rig, *batch, to=to)
    return [one.id for one in batch]


def post(rig: RedisRig, *batch: Envelope, to: str = "warehouse") -> None:
    with pytest.raises(UnderWay):
        rig.hasty.send(to=to, batch=batch)


def read_all(source: RedisStream, into: Kept) -> Kept:
    while source.receive(accept=into, wait=0.01):
        pass
    return into


def mails() -> list[str]:
    return list(Mail.objects.order_by("pk").values_list("key", flat=True))


READER = """
import sys, time
from monolift.events.streams.redis import RedisStream

def accept(batch):
    with open(sys.argv[2], "a") as file:
        file.writelines(one.id + "\\n" for one in batch)
    if sys.argv[3] == "die":
        print("kept", flush=True)
        time.sleep(600)

source = RedisStream(url=sys.argv[1], name="warehouse", publishers=lambda: ["stock"], lease=0.5)
source.start()
while True:
    source.receive(accept=accept, wait=0.1)
    print("again", flush=True)
"""


class Process:
    """A reader for the warehouse in a process of its own."""

    def __init__(self, rig: RedisRig, file: Path, how: str) -> None:
        self._file = file
        self.process = subprocess.Popen(
            [sys.executable, "-c", READER, rig.server.url, str(file), how],
            cwd=ROOT,
            env=environment(DJANGO_SETTINGS_MODULE="config.settings"),
            stdout=subprocess.PIPE,
            text=True,
        )

    def kept(self) -> list[str]:
        return self._file.read_text().split() if self._file.exists() else []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


def test_a_reader_killed_before_its_acknowledgement_loses_nothing(
    rig: RedisRig, tmp_path: Path, scenario: Scenario
) -> None:
    sent = send(rig, 1, 2, 3)
    with Process(rig, tmp_path / "kept", "die") as first:
        eventually(lambda: len(first.kept()) == 3, what="the first reader has them")
        assert first.process.stdout
        assert first.process.stdout.readline() == "kept\n"
        first.process.kill()  # SIGKILL
        first.process.wait()
    later = send(rig, 4)
    eventually(
        lambda: rig.source.receive(accept=arrive.accept, wait=WAIT), what="another takes over"
    )
    rig.take()
    scenario.run_until_idle()
    assert mails() == ["a:1", "a:2", "a:3", "a:4"]
    rows = fetch(topology().alias("sales"), "SELECT event FROM monolift_delivery ORDER BY number")
    assert [event for (event,) in rows] == [*sent, *later]


def test_a_paused_reader_reads_nothing_more(rig: RedisRig) -> None:
    """The fence: whoever comes back after its lease finds that another one reads."""
    first = send(rig, 1, 2)
    paused, go_on = threading.Event(), threading.Event()
    zombie = rig.another()
    seen, after = Kept(), Kept()

    def slowly(batch: Sequence[Arrived]) -> None:
        paused.set()
        assert go_on.wait(30)
        seen(batch)

    def live() -> None:
        zombie.receive(accept=slowly, wait=5)
        zombie.receive(accept=after, wait=0)

    thread = threading.Thread(target=live)
    thread.start()
    assert paused.wait(30)
    heir = Kept()
    eventually(lambda: rig.source.receive(accept=heir, wait=0.01), what="the lease ends")
    second = send(rig, 3)
    keeping = threading.Event()

    def hold(batch: Sequence[Arrived]) -> None:
        heir(batch)
        with rig.server.client() as client:
            # The heir's own lease holds while this goes on.
            client.pexpire(lease_key("stock", "warehouse"), 60_000)
        go_on.set()
        thread.join()
        keeping.set()

    rig.source.receive(accept=hold, wait=1)
    assert keeping.is_set()
    assert heir == [*first, *second]
    assert seen == first, "duplicates of what the heir took first"
    assert after == []
    zombie.stop()


def test_what_is_pending_comes_before_what_is_new(rig: RedisRig) -> None:
    first = send(rig, 1, 2)

    def fail(batch: Sequence[Arrived]) -> None:
        raise ConnectionError("no database")

    with pytest.raises(ConnectionError):
        rig.source.receive(accept=fail, wait=1)
    second = send(rig, 3)
    assert read_all(rig.source, Kept()) == [*first, *second]


def test_one_that_stops_lets_the_next_one_read_at_once(rig: RedisRig) -> None:
    slow = RedisStream(
        url=rig.server.url, name="warehouse", publishers=lambda: ["stock"], lease=600
    )
    send(rig, 1)
    slow.receive(accept=Kept(), wait=1)
    sent = send(rig, 2)
    assert rig.source.receive(accept=Kept(), wait=0) == 0, "the other one reads"
    slow.stop()
    assert read_all(rig.source, Kept()) == sent


def test_a_reader_is_woken(rig: RedisRig) -> None:
    """By the message, not by the end of its wait."""
    kept = Kept()
    rig.source.receive(accept=kept, wait=0)
    thread = threading.Thread(target=lambda: rig.source.receive(accept=kept, wait=60))
    thread.start()
    with rig.server.client() as client:
        eventually(
            lambda: any(one["cmd"] == "xread" for one in client.client_list()), what="it waits"
        )
    sent = send(rig, 1)
    thread.join(4)
    assert not thread.is_alive()
    assert kept == sent


def length(rig: RedisRig) -> int:
    with rig.server.client() as client:
        return int(client.xlen(stream_key("stock")))


def test_only_what_every_group_has_acknowledged_is_trimmed(rig: RedisRig) -> None:
    office = rig.reader("office")
    for number in range(30):
        send(rig, number)
    waiting = send(rig, 30, to="office")
    for number in range(31, 60):
        send(rig, number)
    assert len(read_all(rig.source, Kept())) == 59
    assert length(rig) == 60, "the office has read nothing yet"

    def fail(batch: Sequence[Arrived]) -> None:
        raise ConnectionError("no database")

    with pytest.raises(ConnectionError):
        office.receive(accept=fail, wait=1)
    send(rig, 60)
    read_all(rig.source, Kept())
    assert length(rig) == 61, "the office has acknowledged nothing yet"
    assert read_all(office, Kept()) == waiting
    assert length(rig) == 1
    send(rig, 61)
    read_all(rig.source, Kept())
    assert length(rig) == 2, "the office has read up to the one before"
    office.stop()


def test_what_waits_for_one_that_never_started_waits(rig: RedisRig) -> None:
    sent = send(rig, 1, to="cellar")
    send(rig, 2)
    read_all(rig.source, Kept())
    cellar = rig.reader("cellar")
    assert read_all(cellar, Kept()) == sent
    cellar.stop()


def test_a_server_that_is_away_is_unavailable_and_then_used_again(rig: RedisRig) -> None:
    """It has forgotten all that was on its way."""
    batch = [filled("a", number) for number in range(50)]
    post(rig, *batch)
    rig.server.kill()
    with pytest.raises(Unavailable, match="Redis stream is unavailable: ConnectionError"):
        rig.hasty.send(to="warehouse", batch=batch)
    with pytest.raises(Unavailable):
        rig.source.receive(accept=Kept(), wait=0)
    with pytest.raises(Unavailable):
        rig.another().start()
    rig.server.start()
    rig.source.start()
    assert read_all(rig.source, Kept()) == []
    post(rig, *batch)
    assert read_all(rig.source, Kept()) == [one.id for one in batch]


def test_what_a_durable_server_has_survives_the_power_cut(tmp_path: Path) -> None:
    with redis(folder=tmp_path, durable=True) as rig:
        sent = send(rig, *range(50))
        rig.server.kill()
        rig.server.start()
        assert read_all(rig.source, Kept()) == sent


def test_emptied_while_the_sender_waits(rig: RedisRig) -> None:
    """It looks whether what it has sent is still there, and sends it again."""
    batch = [filled("a", number) for number in range(3)]
    kept = Kept()
    thread = threading.Thread(target=lambda: rig.sender.send(to="warehouse", batch=batch))
    thread.start()
    for _ in range(3):
        eventually(lambda: length(rig) == 3, what="they are on their way")
        rig.lose()
    eventually(lambda: length(rig) == 3, what="they are on their way again")
    read_all(rig.source, kept)
    thread.join(30)
    assert not thread.is_alive()
    assert kept == [one.id for one in batch]


def test_answers_nobody_asks_for_are_not_kept(rig: RedisRig) -> None:
    """Of entries that no sender waits for, of duplicates, and those that were taken note of."""
    batch = [filled("a", 1), filled("a", 2)]
    rig.send(batch)
    rig.put(encode(filled("a", 3)))
    rig.take()
    with rig.server.client() as client:
        assert client.hgetall(answers_key("stock", "warehouse")) == {}


def test_one_that_was_silent_is_not_waited_for(
    rig: RedisRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it has answered once: what is for others goes on meanwhile."""
    patient = rig.reader("shop", patience=0.5)
    batch = [filled("a", 1)]
    with pytest.raises(UnderWay):
        patient.send(to="warehouse", batch=batch)
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("it waits"))
    with pytest.raises(UnderWay):
        patient.send(to="warehouse", batch=batch)
    monkeypatch.undo()
    read_all(rig.source, Kept())
    patient.send(to="warehouse", batch=batch)
    patient.stop()


def test_an_emptied_server_is_used_again(rig: RedisRig) -> None:
    send(rig, 1)
    read_all(rig.source, Kept())
    with rig.server.client() as client:
        client.flushall()
    assert rig.source.receive(accept=Kept(), wait=0) == 0
    with rig.server.client() as client:
        client.flushall()
    sent = send(rig, 2)
    assert read_all(rig.source, Kept()) == sent


def test_emptied_between_reading_and_acknowledging(rig: RedisRig) -> None:
    sent = send(rig, 1)

    def emptied(batch: Sequence[Arrived]) -> None:
        kept(batch)
        with rig.server.client() as client:
            client.flushall()

    kept = Kept()
    assert rig.source.receive(accept=emptied, wait=1) == 1
    assert kept == sent


def test_a_full_server_takes_nothing_and_says_so(rig: RedisRig) -> None:
    with rig.server.client() as client:
        client.config_set("maxmemory", "1")
        with pytest.raises(Unavailable, match="memory"):
            rig.sender.send(to="warehouse", batch=[filled("a", 1)])
        client.config_set("maxmemory", "0")
    sent = send(rig, 2)
    assert read_all(rig.source, Kept()) == sent


def test_a_batch_is_taken_whole_or_not_at_all(rig: RedisRig) -> None:
    with rig.server.client() as client:
        client.set(stream_key("cards"), "no stream")
    batch = [filled("a", 1, source="cards"), filled("a", 2, source="cards")]
    with pytest.raises(Unavailable, match="WRONGTYPE"):
        rig.sender.send(to="warehouse", batch=batch)


def test_an_entry_of_somebody_else_is_kept(rig: RedisRig, scenario: Scenario) -> None:
    with rig.server.client() as client:
        client.xadd(stream_key("stock"), {"to": "warehouse", "job": b"\x80\x04pickle"})
        client.xadd(stream_key("stock"), {"job": "for nobody"})
        client.xadd(stream_key("stock"), {"to": "warehouse", "event": encode(filled("a", 1))})
    rig.take()
    scenario.run_until_idle()
    assert mails() == ["a:1"]
    rows = fetch(
        topology().alias("sales"), "SELECT failure FROM monolift_delivery WHERE state = 'failed'"
    )
    assert rows == [("The entry has no field `event`.",)]


def test_what_was_sent_before_the_last_module_left_is_still_read(rig: RedisRig) -> None:
    """In streams that nobody here wants any more; and no group is made where there was none."""
    left = RedisStream(
        url=rig.server.url, name="warehouse", publishers=list, others=lambda: ["stock", "orders"]
    )
    try:
        sent = filled("a", 1)
        post(rig, sent)
        came: list[Arrived] = []
        while left.receive(accept=came.extend, wait=0.05):
            pass
        post(rig, filled("b", 2), to="office")
        office = RedisStream(
            url=rig.server.url, name="attic", publishers=list, others=lambda: ["stock"]
        )
        assert office.receive(accept=came.extend, wait=0.05) == 0
        office.stop()
    finally:
        left.stop()
    assert [one.id for one in came] == [sent.id]
    with rig.server.client() as client:
        groups = {group["name"] for group in client.xinfo_groups(stream_key("stock"))}
    assert groups == {b"warehouse", b"office"}


def test_without_publishers_there_is_nothing_to_read(rig: RedisRig) -> None:
    idle = RedisStream(url=rig.server.url, name="warehouse", publishers=list)
    assert idle.receive(accept=Kept(), wait=0.01) == 0
    idle.stop()


@pytest.mark.parametrize(
    ("url", "options"),
    [("redis://:hidden-secret@host:port/0", {}), ("redis://127.0.0.1:1/0", {"wrong": 1})],
)
def test_what_cannot_be_used_is_named_without_the_password(url: str, options: Any) -> None:
    with pytest.raises((ImproperlyConfigured, Unavailable)) as error:
        RedisStream(url=url, name="shop", publishers=list, options=options).start()
    assert "hidden-secret" not in str(error.value)


def test_messages_are_json_and_nothing_else(rig: RedisRig) -> None:
    (sent,) = send(rig, 1)
    with rig.server.client() as client:
        ((_, fields),) = client.xrange(stream_key("stock"))
    assert fields[b"to"] == b"warehouse"
    assert json.loads(fields[b"event"])["id"] == sent
    assert json.loads(fields[b"event"])["specversion"] == "1.0"
