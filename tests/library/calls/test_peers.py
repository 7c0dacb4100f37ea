"""Peers that are not what they should be: lying, talking at length, of another time or version."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from pytest_django import Settings

from monolift import deadline, use
from monolift.kernel import CallFailed, Unavailable
from monolift.transport import addresses, protocol, signing, trust
from tests.library.calls.warehouse import KEYS, SECRET, reached
from tests.library.calls.wire import Wire, message
from tests.library.world.stock.interface import SoldOut, Stock

stock = use(Stock)


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> Iterator[None]:
    settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": KEYS}
    trust.forget()
    yield
    trust.forget()


def framed(status: str, body: bytes, *more: str) -> bytes:
    """It says that it hangs up: who does so without a word races with the next call."""
    length = f"Content-Length: {len(body)}"
    head = "\r\n".join((f"HTTP/1.1 {status}", length, "Connection: close", *more, "", ""))
    return head.encode() + body


def failure(code: str, **fields: object) -> bytes:
    return json.dumps({"type": "Failure", "code": code, **fields}).encode()


@contextmanager
def peer(*answers: bytes | None) -> Iterator[list[bytes]]:
    """A server that says its answers in turn, the last to all who are left, and keeps what it was
    sent. None is to say nothing, until the caller hangs up.
    """
    asked: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                link, _ = listening.accept()
            except OSError:
                return
            with link:
                try:
                    asked.append(message(link))
                    answer = answers[min(len(asked), len(answers)) - 1]
                    if answer is None:
                        link.recv(1)
                    else:
                        link.sendall(answer)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        with reached(listening.getsockname()[1]):
            yield asked
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


LEVELS = {
    "another type": (framed("200 OK", b'{"a": {"left": "many", "held": 0}}'), "does not fit"),
    "a field short": (framed("200 OK", b'{"a": {"left": 1}}'), "does not fit"),
    "no JSON": (framed("200 OK", b"<html>"), "does not fit"),
    "deep JSON": (framed("200 OK", b"[" * 100_000), "does not fit"),
    "not UTF-8": (framed("200 OK", b'{"\xff": 1}'), "does not fit"),
    "too long": (
        framed("200 OK", b" " * (protocol.LARGEST + 1)),
        "its answer has more than",
    ),
    "cut off": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
        "the answer is cut off",
    ),
    "no HTTP": (b"220 smtp.example.org ESMTP\r\n", "warehouse: ProtocolError"),
    "a proxy's page": (framed("502 Bad Gateway", b"<html>"), "its error cannot be read"),
    "an error of nobody": (framed("500 Oh", b'{"type": "Failure"}'), "its error cannot be read"),
    "an older one": (
        framed("404 No", failure("monolift.refused", reason="no operation 'levels' here")),
        "warehouse: no operation 'levels' here",
    ),
    "one that has moved": (
        framed("421 No", failure("monolift.refused", reason="stock runs in attic")),
        "its module is not in warehouse",
    ),
    "headers without end": (
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
        "warehouse: ProtocolError",
    ),
}


@pytest.mark.parametrize("said", LEVELS)
def test_what_cannot_be_an_answer_is_unavailable(said: str) -> None:
    """Said clearly: whose answer it was, or what is wrong with it."""
    answer, told = LEVELS[said]
    with peer(answer), deadline(seconds=3), pytest.raises(Unavailable, match=told):
        stock.levels(skus=["a"])


def test_a_call_that_followed_its_module_in_vain_says_so() -> None:
    """Also where its last attempt was cut off by the end of its time."""
    told = "no answer in time; before that, its module is not in warehouse"
    moved, _ = LEVELS["one that has moved"]
    with peer(moved, None), deadline(seconds=0.5), pytest.raises(Unavailable, match=told):
        stock.levels(skus=["a"])


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"", b"{}"])
def test_a_command_without_an_answer_is_not_done_because_somebody_says_200(body: bytes) -> None:
    """A url of another server must lose no command without a word."""
    with peer(framed("200 OK", body)), pytest.raises(Unavailable, match="does not fit"):
        stock.fill(sku="a")
    with peer(framed("200 OK", b"null")):
        stock.fill(sku="a")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("503 Busy", "as many calls are being served as may be"),
        ("404 No", "no operation 'levels' here"),
        ("401 No", "The signature does not fit"),
    ],
)
def test_a_refusal_opens_no_breaker(status: str, reason: str) -> None:
    """Case D30: who refuses answers, and its reason goes on being told."""
    refusal = framed(status, failure("monolift.refused", reason=reason))
    with peer(refusal):
        for _ in range(12):
            with pytest.raises(Unavailable, match=reason):
                stock.levels(skus=["a"])


def test_a_peer_that_never_answers_the_handshake_of_tls_holds_nobody() -> None:
    """Case D29: it takes connections, as one that is stopped does. It is left alone, too."""
    ended: list[Unavailable] = []

    def ask() -> None:
        with deadline(seconds=0.7), pytest.raises(Unavailable, match="no answer in time") as caught:
            stock.levels(skus=["a"])
        ended.append(caught.value)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = silent.getsockname()
        with reached(url=f"https://127.0.0.1:{address[1]}"):
            asking = [threading.Thread(target=ask, daemon=True) for _ in range(addresses.SILENT)]
            for one in asking:
                one.start()
            for one in asking:
                one.join(30)
    assert len(ended) == addresses.SILENT
    assert addresses.is_ejected(address)


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (framed("409 No", failure("stock.sold_out", fields={"sku": 7})), CallFailed, "do not fit"),
        (framed("409 No", failure("stock.vanished")), CallFailed, "stock.vanished"),
        (framed("402 No", failure("cards.declined", fields={"card": "1"})), CallFailed, "declined"),
    ],
    ids=["fields of another type", "an error of a newer one", "another module's error"],
)
def test_an_error_that_is_not_declared_is_a_failed_call(
    answer: bytes, kind: type[Exception], told: str
) -> None:
    with peer(answer), pytest.raises(kind, match=told):
        stock.hold(sku="a", quantity=1)


def test_a_new_field_of_a_newer_peer_is_passed_over() -> None:
    answer = framed("200 OK", b'{"a": {"left": 1, "held": 2, "reserved": 3}}')
    with peer(answer):
        assert stock.levels(skus=["a"])["a"].left == 1
    fields = {"sku": "a", "left": 1, "until": "tomorrow"}
    refused = peer(framed("409 No", failure("stock.sold_out", fields=fields)))
    with refused, pytest.raises(SoldOut):
        stock.hold(sku="a", quantity=2)


@pytest.mark.parametrize(
    ("minutes", "told"), [(5, "from the future. Compare the machines' clocks"), (-5, "expired")]
)
def test_a_clock_that_is_wrong_is_named(
    wire: Wire, sku: str, monkeypatch: pytest.MonkeyPatch, minutes: int, told: str
) -> None:
    """Nothing is run, and the caller is told why."""
    wrong = SimpleNamespace(time=lambda: time.time() + minutes * 60)
    with monkeypatch.context() as patch:
        patch.setattr(signing, "time", wrong)
        with pytest.raises(Unavailable, match=told):
            stock.hold(sku=sku, quantity=1)
    assert stock.levels(skus=[sku])[sku].left == 10


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ({"id": "shop-1", "secret": "x" * 40, "issuer": "shop"}, "The signature does not fit"),
        ({"id": "shop-9", "secret": SECRET, "issuer": "shop"}, "'shop-9' is not known here"),
        (
            {"id": "shop-1", "secret": SECRET, "issuer": "shop", "audience": "office"},
            "has no key of ours",
        ),
    ],
    ids=["another secret", "another id", "for another"],
)
def test_a_wrong_key_is_named(
    wire: Wire, sku: str, settings: Settings, key: dict[str, str], told: str
) -> None:
    """Case G60."""
    settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": [key]}
    with pytest.raises(Unavailable, match=told) as caught:
        stock.hold(sku=sku, quantity=1)
    assert key["secret"] not in str(caught.value)
    settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": KEYS}
    with reached(wire.port):
        assert stock.levels(skus=[sku])[sku].left == 10
