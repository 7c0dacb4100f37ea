"""What DNS has for a name: asked so that a deadline holds, and remembered.

`getaddrinfo` has no timeout of its own, and a resolver that is away keeps it for half a minute. So
a thread asks, and whoever waits for its answer does so until the own deadline. What was found last
is used while the name is not found, or not soon: where something is does not change because nobody
can say so, and addresses that are gone refuse.
"""

import os
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from ipaddress import ip_address
from math import inf
from typing import Any

from monolift.kernel.clock import monotonic
from monolift.observe.logs import logger

SOON = 0.5
"""Seconds that a question may take while there is something else to go by."""

type Endpoint = tuple[str, int]
type Found = Sequence[tuple[Any, ...]]
"""What `socket.getaddrinfo` gives."""

log = logger("monolift.calls")


class _Question:
    """One for all who wait for its answer."""

    def __init__(self) -> None:
        self.asked = monotonic()
        self.answer: Future[Found] = Future()


_asking: dict[Endpoint, _Question] = {}
_lock = threading.Lock()
_known: dict[Endpoint, Found] = {}
_told: set[Endpoint] = set()
"""Those of which it was said that what was known last is used."""


def lookup(endpoint: Endpoint, *, end: float = inf) -> Found:
    """The addresses of a host and port. Raises OSError when there are none until `end`."""
    host, port = endpoint
    if _is_number(host):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    known = _known.get(endpoint)
    question = _ask(endpoint)
    until = end if known is None else min(end, question.asked + SOON)
    try:
        return question.answer.result(None if until == inf else max(until - monotonic(), 0.0))
    except (OSError, UnicodeError) as error:
        late = isinstance(error, TimeoutError)
        reason = f"{host} is not found in time" if late else f"{host} is not found: {error}"
        if known is None:
            raise OSError(reason) from error
        if endpoint not in _told:
            _told.add(endpoint)
            log.warning("the addresses known last are used", host=host, reason=reason)
        return known


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _ask(endpoint: Endpoint) -> _Question:
    with _lock:
        question = _asking.get(endpoint)
        if question is None:
            question = _Question()
            threading.Thread(
                target=_answer,
                args=(endpoint, question),
                name=f"monolift-names-{endpoint[0]}",
                daemon=True,
            ).start()
            _asking[endpoint] = question
        return question


def _answer(endpoint: Endpoint, question: _Question) -> None:
    found: Found = ()
    failure: BaseException | None = None
    try:
        found = socket.getaddrinfo(*endpoint, type=socket.SOCK_STREAM)
    except BaseException as error:  # for whoever waits
        failure = error
    with _lock:
        del _asking[endpoint]
    if failure is not None:
        question.answer.set_exception(failure)
    else:
        _known[endpoint] = found
        _told.discard(endpoint)
        question.answer.set_result(found)


def _after_fork() -> None:
    """Those who ask were threads of the parent."""
    global _lock
    _lock = threading.Lock()
    _asking.clear()


os.register_at_fork(after_in_child=_after_fork)
