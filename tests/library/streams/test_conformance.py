"""What every stream promises, whichever it is."""

import shutil
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pytest_django import Settings

from monolift import atomic, publish
from monolift.events import deliveries, handling, handover, relay
from monolift.events.streams import arrive, envelope
from monolift.events.streams.envelope import Arrived, Envelope
from monolift.events.streams.port import Misplaced, Refused, UnderWay
from monolift.events.subscriptions import Subscription, add, remove
from monolift.events.worker import aliases
from monolift.kernel import Event, Unavailable, clock
from monolift.registry.sql import fetch
from monolift.registry.topology import install, reset, topology
from monolift.testing.scenario import Scenario
from tests.library.relaying import moved
from tests.library.running import eventually
from tests.library.streams.rigs import (
    WAIT,
    Broker,
    Rig,
    filled,
    http,
    kafka,
    memory,
    redis,
    send_all,
)
from tests.library.world.sales.models import Mail
from tests.library.world.stock.events import Filled

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

BROKERS = [
    pytest.param(memory, id="memory"),
    pytest.param(
        redis,
        id="redis",
        marks=[
            pytest.mark.redis,
            pytest.mark.skipif(
                not shutil.which("redis-server"), reason="redis-server is not installed"
            ),
        ],
    ),
    pytest.param(
        kafka,
        id="kafka",
        marks=pytest.mark.skipif(
            not find_spec("confluent_kafka"), reason="confluent-kafka is not installed"
        ),
    ),
]


@pytest.fixture(params=BROKERS)
def broker(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Broker]:
    """One kind that is read from."""
    with request.param(folder=tmp_path, settings=settings, monkeypatch=monkeypatch) as made:
        yield made


@pytest.fixture(params=[*BROKERS, pytest.param(http, id="http")])
def rig(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Rig]:
    """One kind of stream."""
    with request.param(folder=tmp_path, settings=settings, monkeypatch=monkeypatch) as made:
        yield made


def mails() -> list[str]:
    """What the handlers in the warehouse have noted, in order."""
    return list(Mail.objects.order_by("pk").values_list("key", flat=True))


def kept() -> list[tuple[str, str]]:
    """What arrived and cannot be delivered, on any database: id and reason."""
    return [
        (event, failure)
        for alias in aliases()
        for event, failure in fetch(
            alias, "SELECT event, failure FROM monolift_delivery WHERE state = 'failed'"
        )
    ]


def arrived() -> int:
    """Deliveries in the warehouse."""
    return fetch(topology().alias("sales"), "SELECT COUNT(*) FROM monolift_delivery")[0][0]


def crash(batch: Sequence[Arrived]) -> None:
    """Keep what came, and die before anybody hears of it."""
    arrive.accept(batch)
    raise ConnectionError("killed")


def refuse(batch: Sequence[Arrived]) -> None:
    """Keep nothing: the database does not answer."""
    raise ConnectionError("no database")


def test_everything_arrives_as_it_was_sent(rig: Rig, scenario: Scenario) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    one = filled("ä:1/日", 1, traceparent=trace, requestid="r-1", cause="stock.fill")
    loose = filled("b", 2)
    loose = msgspec.structs.replace(loose, subject=None)
    rig.send([one, loose])
    rig.take()
    rows = fetch(
        topology().alias("sales"),
        "SELECT module, event, subscriber, publisher, target, name, key, number, body, trace "
        "FROM monolift_delivery ORDER BY number",
    )
    common = ("stock", "", "stock.filled.v1")
    assert rows == [
        ("sales", one.id, "sales.note", *common, "ä:1/日", int(one.number),
         bytes(one.data).decode(), f"{trace};r-1"),
        ("sales", loose.id, "sales.note", *common, None, int(loose.number),
         bytes(loose.data).decode(), ""),
    ]  # fmt: skip
    scenario.run_until_idle()
    assert sorted(mails()) == ["b:2", "ä:1/日:1"]  # the lanes are two


def test_a_large_batch_arrives_whole(rig: Rig) -> None:
    batch = [filled(f"sku-{number}", number) for number in range(envelope.MAX_BATCH + 200)]
    rig.send(batch)
    rig.take()
    assert arrived() == len(batch)


def test_a_batch_of_many_bytes_arrives_whole(rig: Rig) -> None:
    wide = "x" * 700_000
    batch = [
        filled(f"sku-{number}", number, data={"sku": "a", "quantity": number, "note": wide})
        for number in range(8)  # of a partition the mock of Kafka keeps 5 MB
    ]
    rig.send(batch)
    rig.take()
    assert arrived() == len(batch)


def test_events_of_a_key_keep_their_order(rig: Rig, scenario: Scenario) -> None:
    batch = [filled(sku, number) for number in range(1, 21) for sku in "abc"]
    send_all(rig, batch[:30])
    rig.take()
    scenario.run_until_idle()
    send_all(rig, batch[30:])
    rig.take()
    scenario.run_until_idle()
    seen = defaultdict(list)
    for mail in mails():
        sku, number = mail.split(":")
        seen[sku].append(int(number))
    assert dict(seen) == {sku: list(range(1, 21)) for sku in "abc"}


def test_what_comes_twice_takes_effect_once(rig: Rig, scenario: Scenario) -> None:
    batch = [filled("a", 1), filled("b", 2)]
    rig.send(batch)
    rig.send(batch)
    rig.take()
    scenario.run_until_idle()
    rig.send(batch)
    rig.take()
    scenario.run_until_idle()
    assert sorted(mails()) == ["a:1", "b:2"]


def test_an_empty_batch_is_nothing(rig: Rig) -> None:
    rig.send([])
    rig.take()
    assert arrived() == 0


@pytest.mark.parametrize("fault", [crash, refuse], ids=["after", "before"])
def test_a_crash_before_the_acknowledgement_loses_nothing(
    rig: Rig, scenario: Scenario, fault: Any
) -> None:
    batch = [filled("a", 1), filled("a", 2), filled("b", 3)]
    with pytest.raises((ConnectionError, Unavailable)):
        # Where the sender comes in by itself, it hears of the crash; else whoever reads.
        rig.carry(batch, accept=fault)
    rig.carry_again(batch)
    scenario.run_until_idle()
    assert sorted(mails()) == ["a:1", "a:2", "b:3"]
    assert mails().index("a:1") < mails().index("a:2")


def spoilt(**changes: Any) -> bytes:
    """A message with attributes changed, or (None) missing."""
    document = msgspec.json.decode(msgspec.json.encode(filled("p", 9)))
    document |= changes
    return msgspec.json.encode({name: one for name, one in document.items() if one is not None})


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(b'{"id": 1}', "got `int` - at `$.id`", id="not an envelope"),
        pytest.param(spoilt(specversion="2.0"), "Invalid enum value '2.0'", id="unknown version"),
        pytest.param(spoilt(data=None), "missing required field `data`", id="no data"),
        pytest.param(spoilt(source="st\0ck"), "`$.source`", id="control character"),
        pytest.param(spoilt(type="stock.burnt.v1"), "Nobody here subscribes", id="unknown event"),
        pytest.param(
            spoilt(data={"note": "x" * envelope.MAX_MESSAGE}), "at most 1048576", id="too large"
        ),
    ],
)
def test_a_wrong_message_is_kept_with_its_reason_and_the_rest_flows_on(
    rig: Rig, scenario: Scenario, message: bytes, reason: str
) -> None:
    before, after = filled("a", 1), filled("a", 2)
    rig.send([before])
    rig.put(message)
    rig.put(message)
    rig.send([after])
    rig.take()
    scenario.run_until_idle()
    assert mails() == ["a:1", "a:2"]
    ((_, told),) = kept()
    assert reason in told


def test_bytes_that_are_no_json_are_kept(broker: Broker, scenario: Scenario) -> None:
    broker.send([filled("a", 1)])
    broker.put(b"\x80\x04\x95pickle.")
    broker.send([filled("a", 2)])
    broker.take()
    scenario.run_until_idle()
    assert mails() == ["a:1", "a:2"]
    ((identifier, told),) = kept()
    assert identifier.startswith("unreadable-")
    assert "It cannot be read" in told


def test_what_nobody_knew_arrives_when_it_is_resubmitted(rig: Rig, scenario: Scenario) -> None:
    class Burnt(Event, version=1, name="stock.burnt.v1"):
        sku: str

    burnt: list[str] = []
    rig.put(spoilt(type="stock.burnt.v1", id="e-1"))
    rig.take()
    alias = topology().alias("sales")
    where = {"module": "sales", "event": "e-1", "subscriber": "monolift.arrive"}
    assert deliveries.resubmit(alias, **where)
    for _ in range(12):
        scenario.travel(minutes=5)
    assert "Nobody here subscribes" in kept()[0][1], "still nobody"
    known = Subscription(
        event=Burnt,
        handler=lambda event: burnt.append(event.sku),
        python_module="tests.library.world.sales.handlers",
        name="mourn",
    )
    add(known)
    try:
        assert deliveries.resubmit(alias, **where)
        scenario.run_until_idle()
    finally:
        remove(known)
    assert burnt == ["p"]
    assert kept() == []


def test_one_message_too_large_is_refused_alone(rig: Rig) -> None:
    large = filled("b", 2, data={"note": "x" * envelope.MAX_MESSAGE})
    with pytest.raises(Refused, match="at most 1048576") as refused:
        rig.send([filled("a", 1), large, filled("c", 3)])
    assert list(refused.value.reasons) == [large.id]
    rig.take()
    assert arrived() == 2


def test_what_is_for_others_is_not_taken(broker: Broker) -> None:
    with pytest.raises(UnderWay):
        broker.hasty.send(to="office", batch=[filled("a", 1)])
    broker.send([filled("b", 2)])
    broker.take()
    assert arrived() == 1


@contextmanager
def seen_from_the_shop() -> Iterator[None]:
    """There sales runs in the warehouse; in the warehouse it is at home, as in this process."""
    install(moved("sales", "warehouse"))
    try:
        yield
    finally:
        reset()


def test_while_the_other_side_is_away_the_row_stays(
    rig: Rig, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(deployable: str, events: Sequence[deliveries.Announced]) -> None:
        reset()  # whoever is reached is the warehouse
        rig.send([Envelope.of(event) for event in events])

    monkeypatch.setattr(handover, "send", send)
    alias = topology().alias("stock")
    rows = "SELECT state, failure FROM monolift_delivery WHERE target <> '' ORDER BY number"
    for quantity in (1, 2):
        with atomic(module="stock"):
            publish(Filled(sku="a", quantity=quantity))
    with seen_from_the_shop():
        relay.relay(alias)
    rig.cut()
    with seen_from_the_shop():
        handover.hand_over(alias)
    (first, reason), second = fetch(alias, rows)
    assert (first, second[0]) == ("pending", "waiting")
    assert reason.startswith("Unavailable: ")
    rig.mend()
    for _ in range(4):
        clock.travel(timedelta(minutes=5))
        with seen_from_the_shop():
            handover.hand_over(alias)
    assert [state for state, _ in fetch(alias, rows)] == ["done", "done"]
    rig.take()
    scenario.run_until_idle()
    assert mails() == ["a:1", "a:2"]


def test_what_comes_before_its_subscriber_has_moved_in_comes_again(
    rig: Rig, scenario: Scenario
) -> None:
    """The epochs of two deployables differ for a moment."""
    batch = [filled("a", 1), filled("a", 2)]
    with seen_from_the_shop(), pytest.raises(Misplaced):
        rig.send(batch)
    assert kept() == []
    rig.send(batch)
    scenario.run_until_idle()
    assert mails() == ["a:1", "a:2"]


@contextmanager
def moved_out(module: str) -> Iterator[None]:
    """What it is in the warehouse when a module has left it."""
    install(moved(module, "attic"))
    try:
        yield
    finally:
        reset()


def test_what_is_for_a_module_that_has_moved_comes_back_alone(rig: Rig, scenario: Scenario) -> None:
    """Those of one batch that are for modules that are here are kept, however often they come."""
    moved_on = filled("a", 1, subscribers="search")
    batch = [moved_on, filled("b", 2, subscribers="sales")]
    for _ in range(2):
        with moved_out("search"), pytest.raises(Misplaced) as misplaced:
            rig.send(batch)
        assert misplaced.value.events == {moved_on.id}
    rig.take()
    scenario.run_until_idle()
    assert mails() == ["b:2"]


def test_what_was_lost_on_the_way_is_sent_again(broker: Broker, scenario: Scenario) -> None:
    batch = [filled("a", 1), filled("b", 2)]
    with pytest.raises(UnderWay):
        broker.hasty.send(to="warehouse", batch=batch)
    broker.lose()
    broker.take()
    assert arrived() == 0
    with pytest.raises(UnderWay):
        broker.hasty.send(to="warehouse", batch=batch)
    broker.take()
    broker.hasty.send(to="warehouse", batch=batch)
    scenario.run_until_idle()
    assert sorted(mails()) == ["a:1", "b:2"]


def test_what_is_under_way_is_not_put_there_twice(broker: Broker) -> None:
    came: list[str] = []
    batch = [filled("a", 1), filled("b", 2)]
    for _ in range(3):
        with pytest.raises(UnderWay):
            broker.hasty.send(to="warehouse", batch=batch)
    broker.take(accept=lambda those: came.extend(one.id for one in those))
    broker.hasty.send(to="warehouse", batch=batch)
    assert sorted(came) == sorted(one.id for one in batch)


@contextmanager
def sales_in(deployable: str) -> Iterator[None]:
    """As the shop sees it."""
    install(moved("sales", deployable))
    try:
        yield
    finally:
        reset()


def test_a_key_keeps_its_order_while_its_subscriber_moves(
    broker: Broker, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first event was sent to where the module was, and not read there before it had left."""

    def send(deployable: str, events: Sequence[deliveries.Announced]) -> None:
        broker.hasty.send(to=deployable, batch=[Envelope.of(event) for event in events])

    def hand_over(deployable: str) -> None:
        clock.travel(timedelta(minutes=5))
        with sales_in(deployable):
            relay.relay(alias)
            handover.hand_over(alias)

    monkeypatch.setattr(handover, "send", send)
    alias = topology().alias("stock")
    attic = broker.reader("attic")
    with atomic(module="stock"):
        publish(Filled(sku="a", quantity=1))
    hand_over("warehouse")
    with atomic(module="stock"):
        publish(Filled(sku="a", quantity=2))

    def handled() -> list[str]:
        hand_over("attic")
        attic.receive(accept=arrive.accept, wait=WAIT)
        handling.run_due(topology().alias("sales"), modules=["sales"])
        return mails()

    try:
        assert eventually(handled) == ["a:1"]
        eventually(lambda: len(handled()) == 2, what="the second one")
    finally:
        attic.stop()
    with moved_out("sales"):
        broker.take()
    hand_over("attic")
    scenario.run_until_idle()
    assert mails() == ["a:1", "a:2"]


def test_a_key_keeps_its_order_while_its_subscriber_is_nowhere(
    rig: Rig, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused by the deployable that it has left, until it comes back to that one."""

    def send(deployable: str, events: Sequence[deliveries.Announced]) -> None:
        with moved_out("sales") if gone else nullcontext(reset()):
            rig.send([Envelope.of(event) for event in events])

    def hand_over() -> None:
        clock.travel(timedelta(minutes=5))
        with sales_in("warehouse"):
            relay.relay(alias)
            handover.hand_over(alias)

    monkeypatch.setattr(handover, "send", send)
    alias = topology().alias("stock")
    gone = True
    for quantity in (1, 2, 3):
        gone = quantity < 3
        with atomic(module="stock"):
            publish(Filled(sku="a", quantity=quantity))
        hand_over()
        assert mails() == []
    scenario.run_until_idle()
    assert mails() == ["a:1", "a:2", "a:3"]


def test_two_readers_keep_the_order(broker: Broker) -> None:
    stopping = threading.Event()
    order: list[str] = []
    writing = threading.Lock()

    def slowly(batch: Sequence[Arrived]) -> None:
        with writing:
            order.extend(one.id for one in batch if isinstance(one, Envelope))

    def read() -> None:
        source = broker.another()
        source.start()
        try:
            while not stopping.is_set():
                source.receive(accept=slowly, wait=0.05)
        finally:
            source.stop()

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    batch = [filled("a", number) for number in range(60)]
    try:
        for envelope in batch:
            broker.sender.send(to="warehouse", batch=[envelope])
        eventually(lambda: len(set(order)) == len(batch), what="all are read")
    finally:
        stopping.set()
        for reader in readers:
            reader.join()
    assert list(dict.fromkeys(order)) == [one.id for one in batch]
