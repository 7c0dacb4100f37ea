"""HTTP connections that end at a moment, however slowly bytes come and go.

The timeouts of an HTTP client are for each read: an answer of a byte now and then has no end. Here
every read and write of a socket gets what is left until the deadline of its thread's request.
"""

import random
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from monolift.kernel.clock import monotonic

CONNECT = 2.0
"""Seconds that connecting to one address may take."""
MOST_AGE = 30.0
"""Seconds after which a connection is not used again, so that a name is looked up anew: DNS is how
Kubernetes says what is there."""
EJECTED = 10.0
"""Seconds for which an address that refused is tried last."""


class _Deadline(threading.local):
    """When the request of this thread ends, on the monotonic clock."""

    end = inf


_deadline = _Deadline()


@contextmanager
def until(end: float) -> Iterator[None]:
    """Let the block's requests end at that moment of the monotonic clock, by TimeoutError."""
    _deadline.end = end
    try:
        yield
    finally:
        _deadline.end = inf


def left() -> float | None:
    """Seconds until the request of this thread ends; TimeoutError when it should have."""
    if _deadline.end == inf:
        return None
    seconds = _deadline.end - monotonic()
    if seconds <= 0:
        raise TimeoutError("the deadline of the request has passed")
    return seconds


class _Socket(socket.socket):
    def recv_into(self, *args: Any, **options: Any) -> int:
        self.settimeout(left())
        return super().recv_into(*args, **options)

    def sendall(self, *args: Any) -> None:
        self.settimeout(left())  # of all of it
        super().sendall(*args)


class TlsSocket(ssl.SSLSocket):
    """The same for TLS, whose `sendall` is a loop of `send`."""

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Give up at the deadline."""
        self.settimeout(left())
        return super().recv_into(*args, **options)

    def send(self, *args: Any) -> int:
        """Give up at the deadline."""
        self.settimeout(left())
        return super().send(*args)


_ejected: dict[Any, float] = {}
"""Addresses that refused, and until when they are tried last."""


def _connected(connection: HTTPConnection) -> socket.socket:
    """A socket to one of the host's addresses: to any of them, those that refused lately last."""
    host, port = connection._dns_host, connection.port or connection.default_port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NewConnectionError(connection, f"{host} is not found: {error}") from error
    now = monotonic()
    random.shuffle(found)  # so that many callers share what answers among them
    found.sort(key=lambda entry: _ejected.get(entry[4], 0.0) > now)
    refused: OSError | None = None
    for family, kind, protocol, _, address in found:
        made = socket.socket(family, kind, protocol)
        try:
            for option in connection.socket_options or ():
                made.setsockopt(*option)
            made.settimeout(min(left() or CONNECT, CONNECT))
            made.connect(address)
        except OSError as error:
            made.close()
            refused = error
            _ejected[address] = monotonic() + EJECTED
        else:
            _ejected.pop(address, None)
            connection.born = monotonic()  # type: ignore[attr-defined]  # read by `_Aging`
            return _Socket(fileno=made.detach())
    raise NewConnectionError(connection, f"{host}:{port}: {refused}") from refused


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _Aging:
    """Does not use a connection again that is older than `MOST_AGE`."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection: Any = super()._get_conn(timeout)  # type: ignore[misc]  # a pool's
        if connection.is_connected and monotonic() - connection.born > MOST_AGE:
            connection.close()
        return connection


class _Pool(_Aging, HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(_Aging, HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def pools(
    *,
    size: int,
    timeout: float,
    ca_file: str | None = None,
    cert_file: str | None = None,
    key_file: str | None = None,
) -> urllib3.PoolManager:
    """Kept connections, up to `size` for each host; no request is repeated by itself.

    `timeout` is that of one read or write when no deadline is set. `ca_file` is trusted instead of
    the system's authorities; `cert_file` and `key_file` are shown to the other side.
    """
    context = ssl.create_default_context(cafile=ca_file)
    if cert_file:
        context.load_cert_chain(cert_file, key_file)
    context.sslsocket_class = TlsSocket
    made = urllib3.PoolManager(maxsize=size, retries=False, timeout=timeout, ssl_context=context)
    made.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return made


def close(pools: urllib3.PoolManager) -> None:
    """Close what is kept; what is in use is closed when it is given back."""
    for key in pools.pools.keys():  # noqa: SIM118 - it does not iterate itself
        if pool := pools.pools.get(key):
            pool.close()  # `clear` leaves that to the garbage collector
    pools.clear()
