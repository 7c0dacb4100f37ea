"""Asks the web process whether it is there. Plain sockets: an HTTP library would add megabytes."""

import socket
from typing import NamedTuple


class Address(NamedTuple):
    """Where the web process listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        return f"http://{self._shown}:{self.port}"

    @property
    def _shown(self) -> str:
        host = _reachable(self.host)
        return f"[{host}]" if ":" in host else host

    def status(self, path: str, *, seconds: float = 2.0) -> int:
        """The status code of a GET; 0 when nobody answers in time."""
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        address = (_reachable(self.host), self.port)
        try:
            with socket.create_connection(address, seconds) as link:
                link.sendall(request.encode())
                return int(link.recv(64).split(b" ")[1])
        except (OSError, ValueError, IndexError):
            return 0


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared only
