"""Other deployables, as this process sees them: connections, budget, bulkheads."""

import os
import threading
from typing import Any

from django.core.signals import setting_changed

from monolift.kernel.errors import Unavailable
from monolift.registry.callers import Caller
from monolift.registry.places import Deployable, Topology
from monolift.registry.settings import setting
from monolift.registry.topology import topology, urls
from monolift.resilience.budget import Budget
from monolift.resilience.bulkhead import Bulkhead
from monolift.transport import trust
from monolift.transport.lines import Line
from monolift.transport.protocol import LARGEST, Outcome


class Peer:
    """One other deployable. Safe for threads."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.url, self.repeats = _declared(name)
        """`repeats`: whether requests are repeated and circuits broken here; else a mesh does."""
        self.budget = Budget()
        self._bulkheads: dict[str, Bulkhead] = {}
        self._line = (
            Line(self.url, size=setting("CALLS_AT_ONCE") * 4, tls=setting("TLS"))
            if self.url
            else None
        )

    def bulkhead(self, module: str) -> Bulkhead:
        """That of the calls to one module."""
        try:
            return self._bulkheads[module]
        except KeyError:
            made = Bulkhead(places=setting("CALLS_AT_ONCE"), queue=setting("CALLS_AT_ONCE"))
            return self._bulkheads.setdefault(module, made)

    def post(
        self,
        path: str,
        body: bytes,
        *,
        end: float,
        headers: dict[str, str],
        user: Caller | None = None,
    ) -> Outcome:
        """Send a signed request, once, and give its answer. Raises HTTPError and OSError.

        Unavailable when there is no URL or no key for it. Redirects are not followed.
        """
        signer = trust.signer(self.name)
        if self._line is None or signer is None:
            missing = "KEYS'] has no key of ours" if self._line else "URLS'] has no URL"
            raise Unavailable(f"deployable {self.name}", f"MONOLIFT['{missing} for it")
        target = self._line.prefix + path
        token = signer.sign(audience=self.name, method="POST", path=target, body=body, user=user)
        outcome = self._line.post(
            target,
            body,
            headers={**headers, "Authorization": f"Bearer {token}"},
            end=end,
            most=LARGEST + 1,
        )
        if len(outcome.body) > LARGEST:
            raise OSError(f"its answer has more than {LARGEST} bytes")
        return outcome

    def is_current(self) -> bool:
        """Whether it is what the topology says now."""
        return (self.url, self.repeats) == _declared(self.name)

    def close(self) -> None:
        """Close the kept connections."""
        if self._line is not None:
            self._line.close()


def _declared(name: str) -> tuple[str, bool]:
    declared = topology().deployables.get(name) or Deployable()
    return urls().get(name, "").rstrip("/"), declared.resilience == "own"


_peers: dict[str, Peer] = {}
_lock = threading.Lock()
_seen: Topology | None = None
"""By which those that are kept are current."""


def peer(name: str) -> Peer:
    """The one of that name in this process.

    A new topology closes those that are elsewhere by it, and no other: what is known of where they
    are must not be lost, least of all while nobody can say it again.
    """
    global _seen
    known = topology()
    with _lock:
        if known is not _seen:
            for old in [one for one in _peers.values() if not one.is_current()]:
                _peers.pop(old.name).close()
            _seen = known
        return _peers.get(name) or _peers.setdefault(name, Peer(name))


def forget() -> None:
    """Close all connections; what is known of others is learnt anew."""
    while _peers:
        _peers.popitem()[1].close()


def _changed(*, setting: str, **_: Any) -> None:
    if setting == "MONOLIFT":
        forget()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _peers.clear()


setting_changed.connect(_changed, dispatch_uid="monolift.transport.peers")
os.register_at_fork(after_in_child=_after_fork)
