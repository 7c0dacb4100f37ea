"""A server that speaks Consul's `/v1/health/service/NAME?passing`, with its blocking queries."""

import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

_PATH = "/v1/health/service/"


class FakeConsul:
    """Holds a question with `index` until something changes, or its `wait` is over.

    https://developer.hashicorp.com/consul/api-docs/health#list-service-instances-for-service
    """

    def __init__(self) -> None:
        self.index = 10
        self.questions: list[Mapping[str, str]] = []
        """The query of each, with the token that came along."""
        self.broken: tuple[int, bytes] | None = None
        """The status and the text of every answer, instead of the right one."""
        self._services: dict[str, list[dict[str, Any]]] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._server: ThreadingHTTPServer
        self.port = 0

    @property
    def agent(self) -> str:
        return f"127.0.0.1:{self.port}"

    def put(self, service: str, *ports: int, failing: int = 0, by_node: bool = False) -> None:
        """Say where a service is; `failing` is one more port, whose check does not pass."""
        entries = [
            {
                "Node": {"Node": "n1", "Address": "127.0.0.1"},
                "Service": {
                    "Service": service,
                    "Address": "" if by_node else "127.0.0.1",
                    "Port": port,
                },
                "Checks": [{"Status": "critical" if port == failing else "passing"}],
            }
            for port in (*ports, *([failing] if failing else []))
        ]
        with self._changed:
            self._services[service] = entries
            self.index += 1
            self._changed.notify_all()

    def __enter__(self) -> Self:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, index, body = fake._answer(self.path, self.headers.get("X-Consul-Token"))
                self.send_response(status)
                self.send_header("X-Consul-Index", str(index))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._stopped = False
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Go away: who waits for an answer gets none."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, target: str, token: str | None) -> tuple[int, int, bytes]:
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.questions.append({**query, "path": url.path, "token": token or ""})
        with self._changed:
            if self.broken is None:
                since = int(query.get("index", 0))
                until = time.monotonic() + float(query.get("wait", "0s").rstrip("s"))
                while since == self.index and not self._stopped and self.broken is None:
                    if not self._changed.wait(until - time.monotonic()):
                        break
            if self._stopped:
                raise ConnectionResetError
            if self.broken is not None:
                return self.broken[0], self.index, self.broken[1]
            entries = self._services.get(url.path.removeprefix(_PATH), [])
            if "passing" in query:
                entries = [
                    one
                    for one in entries
                    if all(check["Status"] == "passing" for check in one["Checks"])
                ]
            return 200, self.index, json.dumps(entries).encode()

    def interrupt(self) -> None:
        """Answer all who wait."""
        with self._changed:
            self._changed.notify_all()
