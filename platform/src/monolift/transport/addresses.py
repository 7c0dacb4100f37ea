"""The addresses of a deployable: who is asked for them, and which are left alone for now."""

import random
from collections.abc import Sequence
from math import inf
from typing import Any, Protocol

from monolift.kernel.clock import monotonic
from monolift.transport import names

EJECTED = 10.0
"""Seconds for which an address that refused, or did not answer, is tried last."""
SILENT = 3
"""Requests in a row without an answer until an address counts as one that does not."""
PATIENCE = 2.0
"""Seconds that so many requests must have waited together, where their deadlines ended them: three
callers in a hurry say nothing of an address."""

type Address = Any
"""What a socket connects to, as the system has it."""


class Finder(Protocol):
    """Knows where a deployable is. Safe for threads."""

    def endpoints(self, *, end: float = inf) -> Sequence[tuple[str, int]]:
        """Hosts, by name or number, and ports. Raises OSError, with the reason, without any.

        It takes no longer than until `end`, on the monotonic clock.
        """
        ...

    def has_left(self, endpoint: tuple[str, int]) -> bool:
        """Whether it is known that nothing is there any more."""
        ...

    def close(self) -> None:
        """Ask no more."""
        ...


class Named:
    """One host and port, as the url has them: its addresses are those of DNS, see `names`."""

    def __init__(self, host: str, port: int) -> None:
        self._endpoints = ((host, port),)

    def endpoints(self, *, end: float = inf) -> Sequence[tuple[str, int]]:
        """See `Finder`."""
        return self._endpoints

    def has_left(self, endpoint: tuple[str, int]) -> bool:
        """See `Finder`. Of a name nobody tells: connections are given up by age."""
        return False

    def close(self) -> None:
        """See `Finder`."""


class Candidate:
    """An address that may be connected to."""

    __slots__ = ("address", "endpoint", "family", "kind", "protocol")

    def __init__(self, endpoint: tuple[str, int], found: tuple[Any, ...]) -> None:
        self.endpoint = endpoint
        self.family, self.kind, self.protocol, _, self.address = found


_ejected: dict[Address, float] = {}
"""Until when each of these is tried last."""
_silences: dict[Address, float] = {}


def candidates(finder: Finder, *, end: float = inf) -> list[Candidate]:
    """All addresses in the order to try them: any of them, the ejected ones last.

    Raises OSError when there is none until `end`, on the monotonic clock.
    """
    found: list[Candidate] = []
    failed: OSError | None = None
    for endpoint in finder.endpoints(end=end):
        try:
            known = names.lookup(endpoint, end=end)
        except OSError as error:
            failed = error
            continue
        found += [Candidate(endpoint, one) for one in known]
    if not found and failed is not None:
        raise failed
    random.shuffle(found)  # so that many callers share what answers among them
    found.sort(key=lambda one: is_ejected(one.address))
    return found


def is_ejected(address: Address) -> bool:
    """Whether it is to be tried last."""
    return _ejected.get(address, 0.0) > monotonic()


def refused(address: Address) -> None:
    """Nobody takes connections there."""
    _ejected[address] = monotonic() + EJECTED


def silent(address: Address, *, waited: float | None = None) -> None:
    """A request there got no answer: a few in a row are too many.

    `waited` is for how many seconds it did, if that was until its deadline.
    """
    counts = 1.0 if waited is None else min(1.0, waited * SILENT / PATIENCE)
    _silences[address] = _silences.get(address, 0.0) + counts
    if _silences[address] >= SILENT:
        refused(address)


def answered(address: Address) -> None:
    """It answers."""
    if address in _silences or address in _ejected:
        _silences.pop(address, None)
        _ejected.pop(address, None)
