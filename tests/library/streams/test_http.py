"""HTTP batches: forged ones have no effect, wrong ones are told so, and no answer has no end."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from monolift.events.streams import envelope
from monolift.events.streams.envelope import encode, join
from monolift.events.streams.http import PATH, HttpStream
from monolift.events.streams.port import Refused
from monolift.kernel import Unavailable
from monolift.registry.sql import fetch
from monolift.registry.topology import install, reset, topology
from monolift.transport import lines, trust
from monolift.transport.signing import Key, Signer, Verifier
from tests.library.calls.consul import FakeConsul
from tests.library.relaying import moved
from tests.library.streams.rigs import SECRET, HttpRig, filled, http

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture
def rig(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpRig]:
    """A warehouse that takes in batches."""
    with http(settings=settings, monkeypatch=monkeypatch) as made:
        yield made


def arrived() -> int:
    count: int = fetch(topology().alias("sales"), "SELECT COUNT(*) FROM monolift_delivery")[0][0]
    return count


BODY = join([encode(filled("a", 1))])
SHOP = Key(id="shop-1", secret=SECRET.encode(), issuer="shop")
NOW = int(time.time())


def test_a_signed_batch_is_taken_and_a_repeated_one_changes_nothing(rig: HttpRig) -> None:
    assert rig.post(BODY) == (204, {})
    assert rig.post(BODY) == (204, {})
    assert arrived() == 1


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({"headers": {"Authorization": ""}}, 401, "not signed"),
        ({"headers": {"Authorization": "Basic c2hvcDpzaG9w"}}, 401, "not signed"),
        ({"headers": {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}}, 401, "kind m1"),
        ({"body": b"[]"}, 401, "body is not the one"),
        ({"path": "/_monolift/call"}, 401, "is for POST /_monolift/call"),
        ({"target": PATH + "?a=1"}, 401, "is for POST /_monolift/events."),
        ({"method": "PUT"}, 401, "is for PUT"),
        ({"now": -3600}, 401, "expired"),
        ({"now": 3600}, 401, "future"),
        ({"key": Key(id="shop-1", secret=b"x" * 32, issuer="shop")}, 401, "does not fit"),
        ({"key": Key(id="shop-0", secret=b"x" * 32, issuer="shop")}, 401, "not known here"),
        ({"audience": "office"}, 403, "is for office"),
        (
            {"key": Key(id="shop-1", secret=SECRET.encode(), issuer="office")},
            403,
            "does not sign what office says",
        ),
        ({"headers": {"Content-Type": "application/json"}}, 415, "cloudevents-batch"),
        ({"verb": "GET"}, 405, "by POST"),
    ],
    ids=lambda value: str(value)[:60].replace("\0", ""),
)
def test_what_is_not_as_it_must_be_has_no_effect(
    rig: HttpRig, changes: dict[str, Any], status: int, told: str
) -> None:
    changes = dict(changes)
    if "now" in changes:  # seconds from now
        changes["now"] += NOW
    signed_body = changes.pop("body", None)
    if signed_body is not None:
        # Signed for one body, sent with another.
        token = Signer(key=SHOP).sign(
            audience="warehouse", method="POST", path=PATH, body=signed_body
        )
        changes = {"headers": {"Authorization": f"Bearer {token}"}}
    answered, problem = rig.post(BODY, **changes)
    assert (answered, problem["status"]) == (status, status)
    assert told in problem["detail"]
    assert SECRET not in str(problem)
    assert arrived() == 0


def test_a_deployable_speaks_for_its_own_modules_only(rig: HttpRig) -> None:
    install(moved("stock", "office"))
    try:
        status, problem = rig.post(BODY)
    finally:
        reset()
    assert (status, problem["detail"]) == (
        403, "shop does not speak for stock, which runs in office.",
    )  # fmt: skip
    assert arrived() == 0


def test_without_keys_nobody_comes_in(
    rig: HttpRig, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": ()}
    monkeypatch.setattr("monolift.transport.signed.trust", trust)
    assert rig.post(BODY)[0] == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", 400),
        (b"[1,", 400),
        (b"[" * 100_000, 400),
        (b"\x80\x04pickle", 400),
        (b"[" + b"{}," * envelope.MAX_BATCH + b"{}]", 400),
        (b"[" + b" " * envelope.MAX_BYTES + b"]", 413),
    ],
    ids=["no array", "cut off", "deep", "pickle", "too many", "too large"],
)
def test_what_is_no_batch_is_refused(rig: HttpRig, body: bytes, status: int) -> None:
    answered, problem = rig.post(body)
    assert (answered, problem["status"]) == (status, status)
    assert arrived() == 0


def test_what_nobody_signed_is_not_read(rig: HttpRig) -> None:
    """A stranger who promises a large body is answered before it comes."""
    with socket.create_connection(("127.0.0.1", rig.port), 10) as link:
        link.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n"
            "Content-Type: application/cloudevents-batch+json\r\n\r\n".encode()
        )
        assert link.recv(64).startswith(b"HTTP/1.1 401")


def test_connections_are_kept(rig: HttpRig) -> None:
    for number in range(5):
        rig.sender.send(to="warehouse", batch=[filled("a", number)])
    assert rig.connections == 1


class Peer:
    """A server of any behaviour, for one connection after another."""

    def __init__(self, behave: Callable[[socket.socket], None], wrap: Any = None) -> None:
        self.bodies: list[bytes] = []
        self._behave = behave
        self._wrap = wrap
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        while True:
            link, _ = self._listening.accept()
            if self.ended.is_set():
                link.close()
                return
            with link:
                try:
                    with self._wrap(link) if self._wrap else link as safe:
                        self._request(safe)
                        self._behave(safe)
                except OSError:
                    continue  # the client gave up

    def _request(self, link: socket.socket) -> None:
        head, _, body = self._until(link).partition(b"\r\n\r\n")
        (length,) = [
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        ]
        while len(body) < length:
            body += link.recv(65536)
        self.bodies.append(body)

    @staticmethod
    def _until(link: socket.socket) -> bytes:
        read = b""
        while b"\r\n\r\n" not in read:
            more = link.recv(65536)
            if not more:
                raise ConnectionError
            read += more
        return read

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listening.close()


def answering(status: str, body: bytes = b"", head: str = "") -> Callable[[socket.socket], None]:
    def behave(link: socket.socket) -> None:
        length = f"Content-Length: {len(body)}\r\n"
        link.sendall(f"HTTP/1.1 {status}\r\n{length}{head}\r\n".encode() + body)

    return behave


@contextmanager
def stream_to(port: int, *, scheme: str = "http", **more: Any) -> Iterator[HttpStream]:
    with stream_by(f"{scheme}://127.0.0.1:{port}", **more) as made:
        yield made


@contextmanager
def stream_by(url: str, **more: Any) -> Iterator[HttpStream]:
    made = HttpStream(
        urls={"warehouse": url},
        signers={"warehouse": Signer(key=SHOP)},
        **more,
    )
    try:
        yield made
    finally:
        made.stop()


def drip(peer: list[Peer]) -> Callable[[socket.socket], None]:
    def behave(link: socket.socket) -> None:
        link.sendall(b"HTTP/1.1 204 No Content\r\n")
        while not peer[0].ended.wait(0.05):
            link.sendall(b"X: y\r\n")

    return behave


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key in one file."""
    return certified(tmp_path)


def certified(tmp_path: Path) -> Path:
    """Another one at each call, in the same file."""
    file = tmp_path / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", str(tmp_path / "key"), "-out",
         str(tmp_path / "crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes((tmp_path / "key").read_bytes() + (tmp_path / "crt").read_bytes())
    return file


@pytest.mark.parametrize("safe", [False, True], ids=["plain", "tls"])
def test_an_answer_that_drips_ends_at_the_deadline(certificate: Path, safe: bool) -> None:
    peers: list[Peer] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def wrap(link: socket.socket) -> socket.socket:
        return context.wrap_socket(link, server_side=True)

    with Peer(drip(peers), wrap if safe else None) as peer:
        peers.append(peer)
        with stream_to(
            peer.port,
            scheme="https" if safe else "http",
            timeout=1.0,
            options={"ca_file": str(certificate)},
        ) as stream:
            begun = time.monotonic()
            with pytest.raises(Unavailable, match=r"(?i)time"):
                stream.send(to="warehouse", batch=[filled("a", 1)])
            assert time.monotonic() - begun < 5
            assert len(peer.bodies) == 1, "it did connect"


def test_certificates_that_change_are_read_again(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While only half of a new pair is there, the old one goes on."""
    monkeypatch.setattr(lines, "_LOOK", 0.0)
    contexts: list[ssl.SSLContext] = []

    def serve() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
        contexts.append(context)

    def wrap(link: socket.socket) -> socket.socket:
        return contexts[-1].wrap_socket(link, server_side=True)

    options = {"ca_file": str(certificate), "cert_file": str(certificate)}
    serve()
    with (
        Peer(answering("204 No Content"), wrap) as peer,
        stream_to(peer.port, scheme="https", options=options) as stream,
    ):
        stream.send(to="warehouse", batch=[filled("a", 1)])
        certificate.write_text("-----BEGIN")
        stream.send(to="warehouse", batch=[filled("a", 2)])
        certified(tmp_path)
        serve()
        stream.send(to="warehouse", batch=[filled("a", 3)])
        assert len(peer.bodies) == 3


def test_events_go_where_consul_says() -> None:
    with Peer(answering("204 No Content")) as peer, FakeConsul() as registry:
        registry.put("depot", peer.port)
        with stream_by(f"consul://{registry.agent}/depot") as stream:
            stream.send(to="warehouse", batch=[filled("a", 1)])
        assert len(peer.bodies) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def wrap(link: socket.socket) -> socket.socket:
        return context.wrap_socket(link, server_side=True)

    with (
        Peer(answering("204 No Content"), wrap) as peer,
        stream_to(peer.port, scheme="https") as stream,
        pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        stream.send(to="warehouse", batch=[filled("a", 1)])


@pytest.mark.parametrize(
    ("behave", "told"),
    [
        (answering("503 Busy", b'{"detail": "Send it again."}'), "answers 503 Send it again."),
        (answering("401 No", b"<html>"), "answers 401"),
        (answering("307 Off", head="Location: http://127.0.0.1:1/\r\n"), "answers 307"),
        (answering("500 Oh", b"x" * 300_000), "answers 500"),
        (lambda link: link.sendall(b"SSH-2.0\r\n\r\n"), "Error"),
        (lambda link: None, "Error"),
    ],
    ids=["busy", "not signed", "elsewhere", "long", "no HTTP", "hung up"],
)
def test_any_other_answer_is_unavailable(
    behave: Callable[[socket.socket], None], told: str
) -> None:
    with (
        Peer(behave) as peer,
        stream_to(peer.port) as stream,
        pytest.raises(Unavailable, match=told),
    ):
        stream.send(to="warehouse", batch=[filled("a", 1)])


def test_a_refused_batch_is_halved_until_one_message_is_to_blame() -> None:
    bad = filled("b", 7)

    def behave(link: socket.socket) -> None:
        refused = bad.id.encode() in peer.bodies[-1]
        answering("413 Too large" if refused else "204 No Content")(link)

    with Peer(behave) as peer, stream_to(peer.port) as stream:
        batch = [filled("a", number) for number in range(9)] + [bad]
        with pytest.raises(Refused, match="answers 413") as refused:
            stream.send(to="warehouse", batch=batch)
    assert list(refused.value.reasons) == [bad.id]
    taken = {
        event["id"]
        for body in peer.bodies
        if bad.id.encode() not in body
        for event in msgspec.json.decode(body)
    }
    assert taken == {one.id for one in batch[:-1]}


def test_a_connection_closed_while_it_was_idle_is_made_anew() -> None:
    def behave(link: socket.socket) -> None:
        answering("204 No Content")(link)
        link.recv(1)  # the next request begins, and finds nobody

    with Peer(behave) as peer, stream_to(peer.port) as stream:
        for number in range(3):
            stream.send(to="warehouse", batch=[filled("a", number)])
        assert len(peer.bodies) == 3


def test_a_deployable_without_url_or_key_is_named() -> None:
    stream = HttpStream(urls={"warehouse": "http://127.0.0.1:1"}, signers={})
    with pytest.raises(Unavailable, match=r"stream to warehouse is unavailable: .*KEYS"):
        stream.send(to="warehouse", batch=[filled("a", 1)])
    with pytest.raises(Unavailable, match=r"stream to office is unavailable: .*URLS"):
        stream.send(to="office", batch=[filled("a", 1)])


def test_a_key_that_is_too_short_is_named_and_not_shown(settings: Settings) -> None:
    settings.MONOLIFT = {
        **settings.MONOLIFT,
        "KEYS": [{"id": "shop-1", "secret": "short-secret", "issuer": "shop"}],
    }
    with pytest.raises(ImproperlyConfigured, match="'shop-1' has 12 bytes") as error:
        trust.keys()
    assert "short-secret" not in str(error.value)


def test_who_signs_with_which_key(settings: Settings) -> None:
    secret = "k" * 32
    settings.MONOLIFT = {
        **settings.MONOLIFT,
        "URLS": {"warehouse": "http://w", "office": "http://o"},
        "KEYS": [
            {"id": "office-1", "secret": secret, "issuer": "office"},
            {"id": "pair", "secret": secret, "issuer": "shop", "audience": "office"},
            {"id": "shop-2", "secret": secret, "issuer": "shop"},
            {"id": "shop-1", "secret": secret, "issuer": "shop"},
        ],
    }
    used = {}
    for to in ("warehouse", "office"):
        signer = trust.signer(to)
        assert signer is not None
        token = signer.sign(audience=to, method="GET", path="/", body=b"")
        verifier = Verifier(audience=to, keys=trust.keys())
        used[to] = verifier.verify(token, method="GET", path="/", body=b"").kid
    assert used == {"warehouse": "shop-2", "office": "pair"}
