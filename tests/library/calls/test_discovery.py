"""Where a deployable is, by Consul: healthy addresses, and what becomes of those that are not."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_django import Settings

from monolift import deadline, use
from monolift.kernel import Unavailable
from monolift.registry.places import Deployable
from monolift.registry.topology import install, topology
from monolift.supervise.preflight import any_free_port
from monolift.transport import addresses, consul, deadlined, names
from tests.library.calls.consul import FakeConsul
from tests.library.calls.warehouse import KEYS, reached
from tests.library.calls.wire import Wire
from tests.library.deployed import Deployed
from tests.library.running import eventually
from tests.library.world.stock.interface import Stock

stock = use(Stock)


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": KEYS}


@pytest.fixture
def registry() -> Iterator[FakeConsul]:
    with FakeConsul() as made:
        yield made


@pytest.fixture
def wires(warehouse: Deployed) -> Iterator[tuple[Wire, Wire]]:
    """Two ways to one warehouse: for its callers, two addresses."""
    with Wire(warehouse.port) as one, Wire(warehouse.port) as other:
        yield one, other


@contextmanager
def found_by(registry: FakeConsul) -> Iterator[None]:
    """Let this process be the shop, which asks Consul where the warehouse is."""
    with reached(url=f"consul://{registry.agent}/warehouse"):
        yield


def ask(times: int = 1) -> None:
    for _ in range(times):
        assert stock.levels(skus=["nothing"]) == {}


@pytest.mark.parametrize("by_node", [False, True], ids=["address", "address of the node"])
def test_calls_go_to_the_healthy_addresses(
    registry: FakeConsul, wires: tuple[Wire, Wire], by_node: bool
) -> None:
    good, bad = wires
    registry.put("warehouse", good.port, failing=bad.port, by_node=by_node)
    with found_by(registry):
        ask(8)
    assert (good.requests, bad.requests) == (8, 0)


def test_a_change_is_followed_by_a_question_that_waits_for_it(
    registry: FakeConsul, wires: tuple[Wire, Wire]
) -> None:
    """Also by connections that are kept: what has left is not asked again."""
    before, after = wires
    registry.put("warehouse", before.port)
    with found_by(registry):
        ask()
        eventually(lambda: len(registry.questions) == 2, what="a question that waits")
        assert registry.questions[1]["index"] == str(registry.index)
        registry.put("warehouse", after.port)
        eventually(lambda: len(registry.questions) == 3, what="an answer, and the next question")
        ask(4)
    assert (before.requests, after.requests) == (1, 4)
    assert len(registry.questions) == 3


def test_while_consul_is_away_the_addresses_known_last_are_used(
    registry: FakeConsul, wires: tuple[Wire, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlined, "MOST_AGE", 0.0)  # every call looks for an address
    before, after = wires
    registry.put("warehouse", before.port)
    with found_by(registry):
        ask()
        registry.__exit__()
        ask(4)
        assert before.requests == 5
        registry.put("warehouse", after.port)
        with registry:
            eventually(lambda: ask() is None and after.requests > 0, what="news, once it is back")


def test_a_new_epoch_loses_no_address(
    registry: FakeConsul, wires: tuple[Wire, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is where it was; with Consul away, nobody could say it again."""
    monkeypatch.setattr(deadlined, "MOST_AGE", 0.0)
    registry.put("warehouse", wires[0].port)
    with found_by(registry):
        ask()
        registry.__exit__()
        install(replace(topology(), epoch=topology().epoch + 1))
        ask(3)
    assert wires[0].requests == 4


def test_a_new_epoch_is_followed_to_where_a_deployable_is_by_it(wires: tuple[Wire, Wire]) -> None:
    before, after = wires
    with reached(before.port):
        ask()
        there = Deployable(url=f"http://127.0.0.1:{after.port}")
        known = topology()
        install(replace(known, epoch=known.epoch + 1, deployables={"warehouse": there}))
        ask()
    assert (before.requests, after.requests) == (1, 1)


def test_a_consul_that_never_answered_keeps_nobody_beyond_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consul, "FIRST", 30.0)
    lost = reached(url=f"consul://127.0.0.1:{any_free_port()}/warehouse")
    ended = threading.Event()

    def hurry() -> None:
        with deadline(seconds=0.3), pytest.raises(Unavailable, match="does not say where"):
            ask()
        ended.set()

    with lost:
        threading.Thread(target=hurry, daemon=True).start()
        assert ended.wait(20)


@pytest.mark.parametrize(
    ("status", "text"), [(500, b"No cluster leader"), (200, b"<html>"), (403, b"Permission denied")]
)
def test_an_answer_that_is_none_changes_nothing(
    registry: FakeConsul, wires: tuple[Wire, Wire], status: int, text: bytes
) -> None:
    before, after = wires
    registry.put("warehouse", before.port)
    with found_by(registry):
        ask()
        registry.broken = (status, text)
        registry.interrupt()
        asked = len(registry.questions)
        eventually(lambda: len(registry.questions) > asked + 1, what="more questions")
        ask()
        registry.broken = None
        registry.put("warehouse", after.port)
        eventually(lambda: ask() is None and after.requests > 0, what="the right answer")


def test_an_index_that_goes_back_is_asked_anew(
    registry: FakeConsul, wires: tuple[Wire, Wire]
) -> None:
    """A Consul that was set up anew counts from the beginning."""
    before, after = wires
    registry.put("warehouse", before.port)
    with found_by(registry):
        ask()
        registry.index = 1
        registry.put("warehouse", after.port)
        eventually(lambda: ask() is None and after.requests > 0, what="a call to the new address")
        eventually(lambda: len(registry.questions) > 2, what="the next question")
    assert "index" in registry.questions[1]
    assert "index" not in registry.questions[2]


def test_a_service_without_a_healthy_address_is_named(registry: FakeConsul) -> None:
    registry.put("warehouse", failing=any_free_port())
    told = f"Consul at {registry.agent} knows no healthy address of warehouse"
    with found_by(registry), deadline(seconds=5), pytest.raises(Unavailable, match=told):
        ask()


def test_a_consul_that_never_answered_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consul, "FIRST", 0.3)
    agent = f"127.0.0.1:{any_free_port()}"
    told = f"Consul at {agent} does not say where warehouse is"
    lost = reached(url=f"consul://{agent}/warehouse")
    with lost, deadline(seconds=5), pytest.raises(Unavailable, match=told):
        ask()


def test_the_token_of_consuls_own_tools_goes_along(
    registry: FakeConsul, wires: tuple[Wire, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSUL_HTTP_TOKEN", "b1gs33cr3t")
    registry.put("warehouse", wires[0].port)
    with found_by(registry):
        ask()
    assert registry.questions[0]["token"] == "b1gs33cr3t"


@pytest.mark.parametrize("way", ["consul", "dns"])
def test_an_address_that_refuses_is_tried_last(
    registry: FakeConsul,
    wires: tuple[Wire, Wire],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    monkeypatch.setattr(deadlined, "MOST_AGE", 0.0)
    dead, alive = any_free_port(), wires[0].port

    def refusing_first(found: list[addresses.Candidate]) -> None:
        found.sort(key=lambda one: bool(one.address[1] != dead))

    monkeypatch.setattr(addresses, "random", SimpleNamespace(shuffle=refusing_first))
    tried: list[object] = []
    monkeypatch.setattr(
        addresses,
        "refused",
        lambda address, eject=addresses.refused: (tried.append(address), eject(address)),
    )
    with ExitStack() as stack:
        if way == "dns":
            dns(monkeypatch, _two(dead, alive))
            stack.enter_context(reached(url="http://warehouse:1"))
        else:
            registry.put("warehouse", dead, alive)
            stack.enter_context(found_by(registry))
        ask(4)
    assert tried == [("127.0.0.1", dead)]
    assert wires[0].requests == 4


def dns(patch: pytest.MonkeyPatch, getaddrinfo: Callable[..., Any]) -> None:
    """Let DNS be that, and nothing be known by it yet."""
    made = SimpleNamespace(getaddrinfo=getaddrinfo, SOCK_STREAM=socket.SOCK_STREAM)
    patch.setattr(names, "socket", made)
    patch.setattr(names, "_known", {})


def test_an_address_of_a_family_that_is_not_here_is_passed_over(
    wires: tuple[Wire, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of IPv6 is on a machine without it."""
    absent = (255, socket.SOCK_STREAM, 6, "", ("::1", wires[0].port, 0, 0))
    dns(monkeypatch, lambda *_, **__: [absent, *_two(wires[0].port)()])
    monkeypatch.setattr(addresses, "random", SimpleNamespace(shuffle=lambda found: None))
    with reached(url="http://warehouse:1"):
        ask()
    assert wires[0].requests == 1


def test_a_resolver_that_hangs_keeps_nobody_beyond_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And one question is asked for all."""
    asked: list[object] = []
    over = threading.Event()

    def hang(*name: object, **_: object) -> list[Any]:
        asked.append(name)
        over.wait(30)
        return []

    dns(monkeypatch, hang)
    with reached(url="http://warehouse:1"):
        try:
            for _ in range(3):
                told = "cannot be reached: .*: warehouse is not found in time"
                with deadline(seconds=0.3), pytest.raises(Unavailable, match=told):
                    ask()
        finally:
            over.set()
    assert asked == [("warehouse", 1)]


def test_while_dns_is_away_the_addresses_known_last_are_used(
    wires: tuple[Wire, Wire], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether it says so or is silent. It is told once, and what DNS says next counts."""
    monkeypatch.setattr(deadlined, "MOST_AGE", 0.0)  # every call looks for an address
    before, after = wires
    answers: list[Any] = [_two(before.port)]
    over = threading.Event()

    def gone() -> list[Any]:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    def told() -> int:
        return caplog.text.count("the addresses known last are used")

    dns(monkeypatch, lambda *_, **__: answers[-1]())
    with reached(url="http://warehouse:1"):
        ask()
        answers.append(gone)
        ask(3)
        assert (before.requests, told()) == (4, 1)
        answers.append(lambda: over.wait(30) and gone())
        ask(3)
        assert (before.requests, told()) == (7, 1)
        answers.append(_two(after.port))
        over.set()
        eventually(lambda: ask() is None and after.requests > 0, what="what DNS says now")
        answers.append(gone)
        ask()
    assert told() == 2


def _two(*ports: int) -> Callable[..., list[Any]]:
    kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    return lambda *_, **__: [(*kind, ("127.0.0.1", port)) for port in ports]


def test_callers_in_a_hurry_say_little_of_an_address(wires: tuple[Wire, Wire]) -> None:
    """Few of them nothing, and many of them in a row that it does not answer."""
    hung, _ = wires
    address = ("127.0.0.1", hung.port)
    hung.mode = "silent"

    def hurry() -> None:
        with deadline(seconds=0.1), pytest.raises(Unavailable):
            ask()

    with reached(hung.port):
        for _ in range(addresses.SILENT + 1):
            hurry()
        assert not addresses.is_ejected(address)
        eventually(lambda: hurry() is None and addresses.is_ejected(address), seconds=20)


def test_a_deadline_that_is_over_says_nothing_of_an_address(
    wires: tuple[Wire, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It passed while the addresses were looked for: none of them was tried."""

    def late(finder: addresses.Finder, *, end: float, look: Any = addresses.candidates) -> Any:
        found = look(finder, end=end)
        time.sleep(0.2)
        return found

    monkeypatch.setattr(addresses, "candidates", late)
    with (
        reached(wires[0].port),
        deadline(seconds=0.1),
        pytest.raises(Unavailable, match="cannot be reached"),
    ):
        ask()
    assert not addresses.is_ejected(("127.0.0.1", wires[0].port))
    assert not wires[0].requests


def test_an_address_that_does_not_answer_is_left_alone(
    registry: FakeConsul, wires: tuple[Wire, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes requests and answers none: after a few in a row it is tried last."""
    monkeypatch.setattr(deadlined, "MOST_AGE", 0.0)
    good, bad = wires
    bad.mode = "lose answers"
    registry.put("warehouse", good.port, bad.port)
    failed = 0
    with found_by(registry):
        for _ in range(40):
            try:
                ask()
            except Unavailable:
                failed += 1
    assert bad.requests <= addresses.SILENT
    assert failed <= 1
    assert good.requests >= 39
