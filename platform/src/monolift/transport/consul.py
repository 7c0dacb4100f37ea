"""The addresses that Consul has for a service: those whose health checks pass.

Follows them by blocking queries (https://developer.hashicorp.com/consul/api-docs/features/blocking):
a change is known within milliseconds, and a request never waits for Consul but for the very first.
While Consul is away, the addresses known last are used. Its answers say where a deployable is, not
that it is one: what runs there is known by its certificate, if at all.
"""

import os
import threading
from collections.abc import Sequence
from math import inf
from urllib.parse import quote

import msgspec
import urllib3
from urllib3.exceptions import HTTPError

from monolift.kernel.clock import monotonic
from monolift.observe.logs import logger
from monolift.resilience.backoff import delay

FIRST = 2.0
"""Seconds that a request waits for the first answer, if it has them."""
_WAIT = 30
"""Seconds that Consul may keep a question until something changes. It adds a sixteenth at most."""
_AGAIN = 1.0
"""Seconds until the next question when the last was answered at once, with nothing new."""
_LARGEST = 8 * 1024 * 1024

log = logger("monolift.calls")


class _Service(msgspec.Struct, rename="pascal", frozen=True):
    address: str = ""
    port: int = 0


class _Node(msgspec.Struct, rename="pascal", frozen=True):
    address: str = ""


class _Entry(msgspec.Struct, rename="pascal", frozen=True):
    service: _Service
    node: _Node = _Node()


_decode = msgspec.json.Decoder(list[_Entry]).decode


class Consul:
    """The healthy addresses of one service. See `monolift.transport.addresses.Finder`."""

    def __init__(self, *, agent: str, service: str) -> None:
        """`agent` is `host:port`. A token is taken from CONSUL_HTTP_TOKEN, as Consul's tools do."""
        self._name = f"Consul at {agent}"
        self._service = service
        self._url = f"http://{agent}/v1/health/service/{quote(service, safe='')}"
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._answered = threading.Event()
        self._endpoints: tuple[tuple[str, int], ...] = ()
        self._failure = "it has not answered yet"
        self._thread: threading.Thread | None = None

    def endpoints(self, *, end: float = inf) -> Sequence[tuple[str, int]]:
        """See `Finder`."""
        self._follow()
        if not self._answered.wait(max(min(FIRST, end - monotonic()), 0.0)):
            raise OSError(f"{self._name} does not say where {self._service} is: {self._failure}")
        if not self._endpoints:
            raise OSError(f"{self._name} knows no healthy address of {self._service}")
        return self._endpoints

    def has_left(self, endpoint: tuple[str, int]) -> bool:
        """See `Finder`."""
        return endpoint not in self._endpoints

    def close(self) -> None:
        """See `Finder`."""
        self._closed.set()

    def _follow(self) -> None:
        # Also in a child process, which has none of its parent's threads.
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(
                        target=self._watch, name=f"monolift-consul-{self._service}", daemon=True
                    )
                    self._thread.start()

    def _watch(self) -> None:
        index, failed = 0, 0
        with urllib3.PoolManager(retries=False) as pool:
            while not self._closed.is_set():
                asked = monotonic()
                try:
                    index, new = self._look(pool, index)
                except (HTTPError, OSError, ValueError) as error:
                    self._failure = str(error)
                    if not failed:
                        log.warning(
                            "the addresses known last are used",
                            service=self._service,
                            reason=f"{self._name}: {error}",
                        )
                    failed += 1
                    index = 0
                    self._closed.wait(delay(attempt=min(failed, 6), first=0.2))
                    continue
                failed = 0
                if not new and monotonic() - asked < _AGAIN:
                    self._closed.wait(_AGAIN)

    def _look(self, pool: urllib3.PoolManager, index: int) -> tuple[int, bool]:
        """Ask once; the index for the next question, and whether something changed."""
        token = os.environ.get("CONSUL_HTTP_TOKEN")
        answer = pool.request(
            "GET",
            self._url,
            fields={
                "passing": "1",
                **({"index": str(index), "wait": f"{_WAIT}s"} if index else {}),
            },
            headers={"X-Consul-Token": token} if token else {},
            timeout=urllib3.Timeout(connect=2.0, read=_WAIT * 17 / 16 + 5 if index else 5.0),
            redirect=False,
            preload_content=False,
        )
        try:
            body = answer.read(_LARGEST + 1)
        finally:
            answer.close()
        if answer.status != 200:
            raise OSError(
                f"it answers {answer.status} {body[:200].decode(errors='replace')}".strip()
            )
        found = tuple(
            sorted(
                (entry.service.address or entry.node.address, entry.service.port)
                for entry in _decode(body)
                if entry.service.port and (entry.service.address or entry.node.address)
            )
        )
        new = found != self._endpoints or not self._answered.is_set()
        if new:
            log.info("addresses", service=self._service, endpoints=[f"{h}:{p}" for h, p in found])
        self._endpoints = found
        self._answered.set()
        given = answer.headers.get("X-Consul-Index", "")
        following = int(given) if given.isdecimal() else 0
        return (following if following >= index else 0), new  # it starts anew when it goes back
