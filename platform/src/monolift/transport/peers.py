"""Other deployables, as this process sees them: connections, budget, bulkheads."""

import os
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.signals import setting_changed
from urllib3 import HTTPConnectionPool, PoolManager

from monolift.kernel.clock import monotonic
from monolift.kernel.errors import Unavailable
from monolift.registry.places import Deployable
from monolift.registry.settings import setting
from monolift.registry.topology import on_change, topology, urls
from monolift.resilience.budget import Budget
from monolift.resilience.bulkhead import Bulkhead
from monolift.transport import deadlined, trust
from monolift.transport.protocol import LARGEST, Outcome

_LOOK = 5.0
"""Seconds between two looks at whether a certificate's file is another one."""


class Peer:
    """One other deployable. Safe for threads."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.url = urls().get(name, "").rstrip("/")
        declared = topology().deployables.get(name) or Deployable()
        self.repeats = declared.resilience == "own"
        """Whether requests are repeated and circuits broken here; else a mesh does both."""
        self.budget = Budget()
        self._prefix = urlsplit(self.url).path
        self._bulkheads: dict[str, Bulkhead] = {}
        self._lock = threading.Lock()
        self._pools: PoolManager | None = None
        self._pool: HTTPConnectionPool
        self._files: tuple[float, ...] = ()
        self._looked = 0.0

    def bulkhead(self, module: str) -> Bulkhead:
        """That of the calls to one module."""
        try:
            return self._bulkheads[module]
        except KeyError:
            made = Bulkhead(places=setting("CALLS_AT_ONCE"))
            return self._bulkheads.setdefault(module, made)

    def post(self, path: str, body: bytes, *, end: float, headers: dict[str, str]) -> Outcome:
        """Send a signed request, once, and give its answer. Raises HTTPError and OSError.

        Unavailable when there is no URL or no key for it. Redirects are not followed.
        """
        signer = trust.signer(self.name)
        if not self.url or signer is None:
            missing = "KEYS'] has no key of ours" if self.url else "URLS'] has no URL"
            raise Unavailable(f"deployable {self.name}", f"MONOLIFT['{missing} for it")
        token = signer.sign(audience=self.name, method="POST", path=self._prefix + path, body=body)
        with deadlined.until(end):
            answer = self._kept().urlopen(
                "POST",
                self._prefix + path,
                body=body,
                headers={**headers, "Authorization": f"Bearer {token}"},
                redirect=False,
                preload_content=False,
            )
            try:
                content = answer.read(LARGEST + 1, decode_content=False)
            finally:
                answer.close()  # only what was not read to its end: else the pool has it again
        if len(content) > LARGEST:
            raise OSError(f"its answer has more than {LARGEST} bytes")
        return Outcome(answer.status, content, _seconds(answer.headers.get("Retry-After")))

    def close(self) -> None:
        """Close the kept connections."""
        if self._pools is not None:
            deadlined.close(self._pools)
            self._pools = None

    def _kept(self) -> HTTPConnectionPool:
        now = monotonic()
        if self._pools is not None and now - self._looked < _LOOK:
            return self._pool
        with self._lock:
            self._looked = now
            options: dict[str, str] = setting("TLS")
            files = tuple(Path(path).stat().st_mtime for path in options.values())
            if self._pools is None or files != self._files:
                self._files = files
                self._pools = deadlined.pools(
                    size=setting("CALLS_AT_ONCE") * 4, timeout=deadlined.CONNECT, **options
                )
                self._pool = self._pools.connection_from_url(self.url)
            return self._pool


_peers: dict[str, Peer] = {}


def peer(name: str) -> Peer:
    """The one of that name in this process."""
    try:
        return _peers[name]
    except KeyError:
        return _peers.setdefault(name, Peer(name))


def forget() -> None:
    """Close all connections; what is known of others is learnt anew. Also after a new topology."""
    while _peers:
        _peers.popitem()[1].close()


def _seconds(header: str | None) -> float | None:
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 3600 else None


def _changed(*, setting: str, **_: Any) -> None:
    if setting == "MONOLIFT":
        forget()


setting_changed.connect(_changed, dispatch_uid="monolift.transport.peers")
on_change(forget)
os.register_at_fork(after_in_child=_peers.clear)
