"""Calls to a module of this process, as if it were elsewhere.

They go through the client and the server of `monolift.transport`, with deadlines, repetition, keys
and the codec; only the wire between them is missing, and its moods come from a seed. So what a
caller meets in a rehearsal it meets after a lift.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError, ProtocolError

from monolift.kernel import Operation
from monolift.lift.rehearsal import record
from monolift.registry.callers import Caller
from monolift.registry.places import Rehearsal
from monolift.registry.proxies import Binding, Methods
from monolift.registry.settings import setting
from monolift.registry.topology import topology
from monolift.resilience.budget import Budget
from monolift.resilience.bulkhead import Bulkhead
from monolift.transport import http, loopback, protocol
from monolift.transport.perform import Target
from monolift.transport.protocol import CALLER, DEADLINE, Outcome
from monolift.transport.serving import answered, caller_of


def build(binding: Binding) -> Methods:
    """The methods of a proxy whose module is rehearsed."""
    rehearsal = topology().rehearsal
    if rehearsal is None:
        raise AssertionError("only what is rehearsed has this route")
    wire = _Wire(binding, rehearsal)
    calm = loopback.build(binding)
    through = http.through(wire, binding)
    return {
        name: _observed(operation, through[name], calm[name], rehearsal)
        for name, operation in binding.operations.items()
    }


def _observed(
    operation: Operation,
    through: Callable[..., Any],
    calm: Callable[..., Any],
    rehearsal: Rehearsal,
) -> Callable[..., Any]:
    def call(**arguments: Any) -> Any:
        if rehearsal.until and time.time() > rehearsal.until:
            return calm(**arguments)
        with record.observed(operation, folder=rehearsal.folder):
            return through(**arguments)

    call.__name__ = operation.method
    call.__doc__ = operation.function.__doc__
    return call


class _Wire:
    """Stands for the connection to a deployable that has the module."""

    repeats = True

    def __init__(self, binding: Binding, rehearsal: Rehearsal) -> None:
        self.name = f"the rehearsed {binding.module}"
        self.budget = Budget()
        self._bulkhead = Bulkhead(places=setting("CALLS_AT_ONCE"), queue=setting("CALLS_AT_ONCE"))
        self._rehearsal = rehearsal
        self._targets = {
            name: Target(binding, operation) for name, operation in binding.operations.items()
        }
        self._random = random.Random(f"{rehearsal.seed} {binding.module}")  # noqa: S311 - moods
        self._lock = threading.Lock()

    def bulkhead(self, module: str) -> Bulkhead:
        """The one that there is: the wire leads to one module."""
        return self._bulkhead

    def post(
        self,
        path: str,
        body: bytes,
        *,
        end: float,
        headers: dict[str, str],
        user: Caller | None = None,
    ) -> Outcome:
        """Answer as the module would from elsewhere, if the wire lets it."""
        plan = self._rehearsal
        with self._lock:
            slowness, refused, lost, twice = (self._random.random() for _ in range(4))
        time.sleep(2 * slowness * plan.latency)
        if refused < plan.refused:
            record.mood("refused")
            raise NewConnectionError(HTTPConnection("rehearsal"), "refused, as rehearsed")
        outcome = self._answer(path, body, headers, user)
        if twice < plan.twice and _may_come_twice(self._target(path).operation, path):
            record.mood("twice")
            outcome = self._answer(path, body, headers, user)
        record.sent(len(body), len(outcome.body))
        if lost < plan.lost:
            record.mood("lost")
            raise ProtocolError("the answer is lost, as rehearsed")
        return outcome

    def _target(self, path: str) -> Target:
        return self._targets[path.partition("?")[0].rpartition("/")[2]]

    def _answer(
        self, path: str, body: bytes, headers: dict[str, str], user: Caller | None
    ) -> Outcome:
        target = self._target(path)
        caller = caller_of(
            target.operation,
            label=headers.get(CALLER, ""),
            milliseconds=headers[DEADLINE],
            user=user,
        )
        key = protocol.key_of(path.partition("?")[2])
        answer = answered(target, caller, key, body)
        return Outcome(answer.status_code, answer.content, None)


def _may_come_twice(operation: Operation, path: str) -> bool:
    """Who has no key sends nothing twice, and no network makes two of one request."""
    return operation.kind == "query" or "?" in path
