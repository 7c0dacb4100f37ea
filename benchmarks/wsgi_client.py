"""Requests to a WSGI application in this process, at the cost of the application alone."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.core.handlers.wsgi import WSGIHandler


class Answer:
    """What came back."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body) if self.body else None


class Client:
    """Asks one application."""

    def __init__(self, application: WSGIHandler, *, prefix: str) -> None:
        self._application = application
        self._prefix = prefix

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request; RuntimeError for an answer that is not a success."""
        answer = self.prepared(method, path, body)()
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.body[:500]!r}")
        return answer

    def prepared(self, method: str, path: str, body: Any = None) -> Callable[[], Answer]:
        """The request, ready to be sent: encoding its body is no part of what is measured."""
        content = b"" if body is None else json.dumps(body).encode()
        return self._request(method, path, content, {"CONTENT_TYPE": "application/json"})

    def form(self, path: str, fields: Mapping[str, str]) -> Callable[[], Answer]:
        """A form as a browser sends it, with the token against forgery."""
        secret = "a" * 32
        content = urlencode({**fields, "csrfmiddlewaretoken": secret}).encode()
        headers = {
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "HTTP_COOKIE": f"csrftoken={secret}",
        }
        return self._request("POST", path, content, headers)

    def _request(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str]
    ) -> Callable[[], Answer]:
        path, _, query = f"{self._prefix}{path}".partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            **headers,
            "CONTENT_LENGTH": str(len(content)),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SCRIPT_NAME": "",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        application = self._application

        def send() -> Answer:
            seen: list[str] = []

            def start(status: str, headers: Any, error: Any = None) -> Any:
                seen.append(status)

            response = application({**environ, "wsgi.input": io.BytesIO(content)}, start)
            try:
                text = b"".join(response)
            finally:
                response.close()  # ends the request: connections are given back here
            return Answer(int(seen[0][:3]), text)

        return send
