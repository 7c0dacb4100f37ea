"""HTTP servers beside a benchmark: granian with one worker, as `monolift run` uses it."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monolift.supervise.preflight import any_free_port

ROOT = Path(__file__).parents[1]
_SLOW = 60.0


@contextmanager
def serving(application: str, *, threads: int = 4, **environment: str) -> Iterator[int]:
    """A WSGI application behind granian; gives its port."""
    port = any_free_port()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
            "--port", str(port), "--workers", "1", "--blocking-threads", str(threads), "--no-ws",
            "--log-level", "warning", "--no-access-log", application,
        ],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,  # standard output belongs to the results
    )  # fmt: skip
    try:
        _wait(process, port)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def connected(port: int) -> http.client.HTTPConnection:
    """A connection that is kept alive; without Nagle's delay, as every HTTP client has it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _SLOW
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended at once, with status {process.returncode}.")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            connection.close()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"The server does not answer after {_SLOW:.0f} s.")
