"""What a process without a web server of its own tells: a worker's health, and its metrics.

On a port of its own, for an orchestrator's probes and for Prometheus. Not for the internet.
"""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

from django.db import connections

from monolift.gateway.metrics import CONTENT_TYPE, answer


class Status:
    """A small server beside the work. `healthy` says whether that goes on."""

    def __init__(self, *, host: str, port: int, healthy: Callable[[], bool]) -> None:
        """Raises OSError when nobody can listen there."""
        self._server = _Server((host, port), _handler(healthy))
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="monolift-status", daemon=True
        )

    @property
    def port(self) -> int:
        """Where it listens; the system chose it when 0 was asked for."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # the parent's asks DNS for the name of this machine
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]


def _handler(healthy: Callable[[], bool]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # seconds for a request to arrive

        def do_GET(self) -> None:
            """`/healthz` and `/metrics`."""
            path = self.path.partition("?")[0]
            if path == "/healthz":
                self._send(*((200, "ok\n") if healthy() else (503, "not working\n")))
            elif path == "/metrics":
                try:
                    self._send(*answer(authorization=self.headers.get("Authorization", "")))
                finally:
                    connections.close_all()  # this thread's own; it ends with the request
            else:
                self._send(404, "")

        def _send(self, status: int, body: str) -> None:
            sent = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            """Probes are not news."""

    return Handler
