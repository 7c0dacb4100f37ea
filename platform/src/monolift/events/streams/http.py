"""Events as signed HTTP batches: no server but those that are there.

The receiver keeps a batch before it answers, so an answer is the acknowledgement. See
`monolift.events.streams.receive` for the other side.
"""

import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any
from urllib.parse import urlsplit

import msgspec
import urllib3
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ProtocolError

from monolift.events.streams.envelope import BATCH_TYPE, Envelope, chunks, join
from monolift.events.streams.port import Refused
from monolift.events.streams.sending import encoded
from monolift.kernel.clock import monotonic
from monolift.kernel.errors import Unavailable
from monolift.transport.signing import Signer

PATH = "/_monolift/events"
"""Where a deployable takes events in, below its URL."""

_ANSWER = 64 * 1024
"""Bytes of an answer that are read."""
_SPLIT = frozenset({400, 413, 422})
"""Statuses that may be about a single message of the batch."""


class HttpStream:
    """See `port.Stream`. Safe for threads; connections are kept and shared."""

    def __init__(
        self,
        *,
        urls: Mapping[str, str],
        signers: Mapping[str, Signer],
        timeout: float = 10.0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """`urls` and `signers` are those of each receiver; `timeout` is seconds for one request.

        `options`: `ca_file` to trust instead of the system's, `cert_file` and `key_file` to show.
        """
        self._urls = urls
        self._signers = signers
        self._timeout = timeout
        context = ssl.create_default_context(cafile=(options or {}).get("ca_file"))
        if options and options.get("cert_file"):
            context.load_cert_chain(options["cert_file"], options.get("key_file"))
        context.sslsocket_class = _TlsSocket
        self._pool = urllib3.PoolManager(
            maxsize=8, retries=False, timeout=timeout, ssl_context=context
        )
        self._pool.pool_classes_by_scheme = {"http": _Pool, "https": HTTPSConnectionPool}

    def send(self, *, to: str, batch: Sequence[Envelope]) -> None:
        """See `port.Stream`."""
        if to not in self._urls or to not in self._signers:
            missing = "URLS'] has no URL" if to not in self._urls else "KEYS'] has no key of ours"
            raise Unavailable(f"stream to {to}", f"MONOLIFT['{missing} for it")
        messages, refused = encoded(batch)
        for chunk in chunks(messages):
            self._send(to, chunk, refused)
        if refused:
            raise Refused(refused)

    def _send(self, to: str, messages: Sequence[bytes], refused: dict[str, str]) -> None:
        """Send one batch. When it is refused, find out which message it is about."""
        status, reason = self._post(to, join(messages))
        if 200 <= status < 300:
            return
        if status not in _SPLIT:
            raise Unavailable(f"stream to {to}", f"it answers {status} {reason}".rstrip())
        if len(messages) > 1:
            half = len(messages) // 2
            self._send(to, messages[:half], refused)
            self._send(to, messages[half:], refused)
        else:
            identifier = msgspec.json.decode(messages[0])["id"]
            refused[identifier] = f"{to} answers {status} {reason}".rstrip()

    def _post(self, to: str, body: bytes) -> tuple[int, str]:
        url = self._urls[to].rstrip("/") + PATH
        token = self._signers[to].sign(
            audience=to, method="POST", path=urlsplit(url).path, body=body
        )
        headers = {"Authorization": f"Bearer {token}", "Content-Type": BATCH_TYPE}
        _deadline.end = monotonic() + self._timeout
        try:
            try:
                return self._request(url, body, headers)
            except ProtocolError:
                # The server has closed a connection that was idle. A batch bears it twice.
                return self._request(url, body, headers)
        except (HTTPError, OSError) as error:
            raise Unavailable(f"stream to {to}", f"{type(error).__name__}: {error}") from error
        finally:
            _deadline.end = inf

    def _request(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        answer = self._pool.urlopen(
            "POST", url, body=body, headers=headers, redirect=False, preload_content=False
        )
        try:
            text = answer.read(_ANSWER, decode_content=False)
        finally:
            answer.close()  # only what was not read to its end: else the pool has it again
        return answer.status, _told(text)

    def stop(self) -> None:
        """See `port.Stream`."""
        for key in self._pool.pools.keys():  # noqa: SIM118 - it does not iterate itself
            if pool := self._pool.pools.get(key):
                pool.close()  # `clear` leaves that to the garbage collector
        self._pool.clear()


def _told(answer: bytes) -> str:
    """What a problem (RFC 9457) says."""
    try:
        document = msgspec.json.decode(answer, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return str(document.get("detail") or document.get("title") or "")[:500]


class _Deadline(threading.local):
    """When the request of this thread ends, on the monotonic clock."""

    end = inf


_deadline = _Deadline()


class _Socket(socket.socket):
    """Gives up at the deadline of the running request, however slowly bytes come and go.

    The timeouts of an HTTP client are for each read: an answer of a byte now and then has no end.
    """

    def recv_into(self, *args: Any, **options: Any) -> int:
        self.settimeout(_left())
        return super().recv_into(*args, **options)

    def sendall(self, *args: Any) -> None:
        self.settimeout(_left())  # of all of it
        super().sendall(*args)


class _TlsSocket(ssl.SSLSocket):
    """The same for TLS, whose `sendall` is a loop of `send`."""

    def recv_into(self, *args: Any, **options: Any) -> int:
        self.settimeout(_left())
        return super().recv_into(*args, **options)

    def send(self, *args: Any) -> int:
        self.settimeout(_left())
        return super().send(*args)


def _left() -> float | None:
    if _deadline.end == inf:
        return None
    left = _deadline.end - monotonic()
    if left <= 0:
        raise TimeoutError("the deadline of the request has passed")
    return left


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _Socket(fileno=super()._new_conn().detach())


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection
