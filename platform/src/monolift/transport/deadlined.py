"""HTTP connections that end at a moment, however slowly bytes come and go.

The timeouts of an HTTP client are for each read: an answer of a byte now and then has no end. Here
every read and write of a socket gets what is left until the deadline of its thread's request.
"""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

from monolift.kernel.clock import monotonic
from monolift.registry.locations import Location
from monolift.transport import addresses
from monolift.transport.addresses import Candidate, Finder

CONNECT = 2.0
"""Seconds that connecting to one address may take."""
MOST_AGE = 30.0
"""Seconds after which a connection is not used again, so that a name is looked up anew: DNS is how
Kubernetes says what is there."""


class _Request(threading.local):
    """The request of this thread."""

    end = inf
    """When it ends, on the monotonic clock."""
    connection: "_Found | None" = None
    """What it is sent on."""


_request = _Request()


@contextmanager
def until(end: float) -> Iterator[None]:
    """Let the block's request end at that moment of the monotonic clock, by TimeoutError.

    An address that lets a few of them in a row end without an answer is left alone for a while.
    """
    _request.end = end
    began = monotonic()
    try:
        yield
    except (HTTPError, OSError):
        if (reached := _reached()) is not None:
            now = monotonic()
            addresses.silent(reached.address, waited=now - began if now >= end else None)
        raise
    else:
        if (reached := _reached()) is not None:
            addresses.answered(reached.address)
    finally:
        _request.end = inf
        _request.connection = None


def _reached() -> Candidate | None:
    """Where the request of this thread went; None when nobody took it."""
    return _request.connection.reached if _request.connection is not None else None


def left() -> float | None:
    """Seconds until the request of this thread ends; TimeoutError when it should have."""
    if _request.end == inf:
        return None
    seconds = _request.end - monotonic()
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


def _connected(connection: Any) -> socket.socket:
    """A socket to one of the addresses that the connection's finder has."""
    finder: Finder = connection.finder
    try:
        found = addresses.candidates(finder, end=_request.end)
    except OSError as error:
        raise NewConnectionError(connection, str(error)) from error
    refused: OSError | None = None
    for one in found:
        try:
            patience = min(left() or CONNECT, CONNECT)
        except TimeoutError as error:
            refused = error
            break  # which says nothing of the addresses
        made: _Socket | None = None  # none of IPv6, on a machine without it
        try:
            made = _Socket(one.family, one.kind, one.protocol)
            for option in connection.socket_options or ():
                made.setsockopt(*option)
            made.settimeout(patience)
            made.connect(one.address)
        except OSError as error:
            if made is not None:
                made.close()
            refused = error
            if patience < CONNECT and isinstance(error, TimeoutError):
                addresses.silent(one.address, waited=patience)
            else:
                addresses.refused(one.address)
            continue
        try:
            made.settimeout(left())  # for the handshake of TLS, which no method above sees
        except TimeoutError:
            made.close()
            raise
        connection.born = monotonic()
        connection.reached = one
        return made
    tried = ", ".join("{}:{}".format(*one.address) for one in found)
    raise NewConnectionError(connection, f"{tried}: {refused}") from refused


class _Found:
    """A connection to wherever its finder says."""

    def __init__(self, *args: Any, finder: Finder, **options: Any) -> None:
        super().__init__(*args, **options)
        self.finder = finder
        self.born = 0.0
        self.reached: Candidate | None = None

    def _new_conn(self) -> socket.socket:
        self.reached = None
        _request.connection = self  # before the handshake of TLS, which may get no answer either
        return _connected(self)

    def _is_past(self) -> bool:
        """Too old, or to somewhere that is better left alone."""
        return (
            self.reached is None
            or monotonic() - self.born > MOST_AGE
            or addresses.is_ejected(self.reached.address)
            or self.finder.has_left(self.reached.endpoint)
        )

    def request(self, *args: Any, **options: Any) -> None:
        """Note where the request of this thread goes."""
        _request.connection = self
        super().request(*args, **options)  # type: ignore[misc]  # a connection's


class _Connection(_Found, HTTPConnection):
    pass


class _TlsConnection(_Found, HTTPSConnection):
    pass


class _Aging:
    """Does not use a connection again that is past its time."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection: Any = super()._get_conn(timeout)  # type: ignore[misc]  # a pool's
        if connection.is_connected and connection._is_past():
            connection.close()
        return connection


class _Pool(_Aging, HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(_Aging, HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def pool(
    location: Location,
    finder: Finder,
    *,
    size: int,
    timeout: float,
    ca_file: str | None = None,
    cert_file: str | None = None,
    key_file: str | None = None,
) -> HTTPConnectionPool:
    """Kept connections, up to `size`; no request is repeated by itself.

    `timeout` is that of one read or write when no deadline is set. `ca_file` is trusted instead of
    the system's authorities; `cert_file` and `key_file` are shown to the other side. Raises OSError
    for a file that is no certificate.
    """
    options: dict[str, Any] = {
        "maxsize": size,
        "retries": False,
        "timeout": timeout,
        "finder": finder,
    }
    if location.scheme == "http":
        return _Pool(location.host, location.port, **options)
    context = ssl.create_default_context(cafile=ca_file)
    if cert_file:
        context.load_cert_chain(cert_file, key_file)
    context.sslsocket_class = TlsSocket
    return _TlsPool(location.host, location.port, ssl_context=context, **options)
