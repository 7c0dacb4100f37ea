"""A WSGI application that does nothing but answer: what HTTP itself costs."""

import os
from collections.abc import Callable, Iterable
from typing import Any

_ANSWER = os.environ.get("BENCHMARK_ANSWER", "{}").encode()
_HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(_ANSWER)))]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Read the request, answer with the same JSON always."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", _HEADERS)
    return (_ANSWER,)
