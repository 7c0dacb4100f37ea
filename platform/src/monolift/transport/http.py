"""Calls to modules of other deployables, by HTTP (see `monolift.transport.protocol`).

One owner for each protection of a call, all here: the total deadline, repetition within a budget
and under the command's key, a circuit breaker for each interface, a bulkhead for each module.
"""

import time
from collections.abc import Callable
from typing import Any, Protocol

from django.core.exceptions import ImproperlyConfigured
from urllib3.exceptions import HTTPError, NewConnectionError

from monolift.kernel import CallFailed, CallRefused, KeyInFlight, Operation, Unavailable
from monolift.kernel.clock import monotonic
from monolift.kernel.ids import uuid7
from monolift.observe.matrix import row
from monolift.observe.trace import current_trace
from monolift.registry.callers import Caller, end_user
from monolift.registry.proxies import Binding, Methods
from monolift.registry.scope import CallKey, Scope, current
from monolift.registry.topology import topology
from monolift.resilience.backoff import delay
from monolift.resilience.breaker import Breaker
from monolift.resilience.budget import Budget
from monolift.resilience.bulkhead import Bulkhead, Full
from monolift.transport import codec, protocol
from monolift.transport.following import Moved, following
from monolift.transport.peers import peer
from monolift.transport.perform import admit
from monolift.transport.protocol import MISDIRECTED, Outcome
from monolift.transport.weighed import weigh

ATTEMPTS = 3
"""How often one call is sent at most."""
PAUSE = 0.025
"""Seconds before the first repetition at most; twice that before each further one."""
PATIENCE = 0.5
"""The share of an operation's timeout for which a caller waits who is not in a hurry: what takes
longer is taken to hang. Timeouts are set well above what an operation usually takes."""
QUEUED = 0.5
"""Seconds that a call waits for a place in the bulkhead at most: as long as a cut-over may hold
calls up (`monolift lift --budget`), since all that come meanwhile need a place at once."""
LAST = 0.1
"""The share of its time in which an attempt that ends is taken to be ended by the deadline: who
works for it there gives up a moment before."""


class Target(Protocol):
    """Where calls go: a `Peer`, or a rehearsal."""

    name: str
    repeats: bool
    budget: Budget

    def bulkhead(self, module: str) -> Bulkhead:
        """That of the calls to one module."""
        ...

    def post(
        self,
        path: str,
        body: bytes,
        *,
        end: float,
        headers: dict[str, str],
        user: Caller | None = None,
    ) -> Outcome:
        """Send a request, once, and give its answer. Raises HTTPError and OSError."""
        ...


class _NotRun(Exception):
    """It did not reach the operation: repeating it is harmless, whatever it is."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class _InDoubt(Exception):
    """It was sent, and no answer came: it may have happened."""


def build(binding: Binding) -> Methods:
    """The methods of a proxy whose module is in another deployable."""
    target = peer(topology().place(binding.module).deployable)
    if binding.replacement is not None:
        raise ImproperlyConfigured(
            f"override() of {binding.interface.__qualname__}: it runs in the deployable "
            f"{target.name!r}, and an override reaches no other process."
        )
    return through(target, binding)


def through(target: Target, binding: Binding) -> Methods:
    """The methods of a proxy whose calls go through a peer, or what stands for one."""
    breaker = Breaker(name=f"{binding.interface.interface_name} in {target.name}")
    return {
        name: following(binding, operation, _method(binding, operation, target, breaker))
        for name, operation in binding.operations.items()
    }


def _method(
    binding: Binding, operation: Operation, target: Target, breaker: Breaker
) -> Callable[..., Any]:
    cells = row(operation.name)
    module = binding.module

    def call(**arguments: Any) -> Any:
        caller = current()
        if caller.weighing is None:
            return made(caller, arguments)
        return weigh(
            caller,
            operation,
            module,
            arguments,
            lambda: made(caller, arguments),
            remote=not topology().hosts(module),
        )

    def made(caller: Scope, arguments: dict[str, Any]) -> Any:
        cell = cells[caller.module]
        start = monotonic()
        try:
            _refuse_in_group(caller, operation)
            key = admit(caller, operation)
            body = codec.encode_arguments(operation, arguments)
            end = start + operation.timeout
            if caller.deadline is not None and caller.deadline < end:
                end = caller.deadline
            with target.bulkhead(module).place(wait=min(QUEUED, end - monotonic())):
                return _Call(operation, target, breaker, caller, key, body, end).run()
        except Full:
            cell.errors += 1
            cell.unavailable += 1
            raise Unavailable(
                operation.name,
                f"as many calls to {module} are under way as may be (CALLS_AT_ONCE)",
            ) from None
        except Unavailable:
            cell.errors += 1
            cell.unavailable += 1
            raise
        except BaseException as error:
            cell.errors += 1
            cell.failed += isinstance(error, CallFailed)
            raise
        finally:
            cell.remote += 1
            cell.calls = next(cell.ticket)
            cell.timed += 1
            cell.seconds += monotonic() - start

    return call


def _refuse_in_group(caller: Scope, operation: Operation) -> None:
    """Keep a fused group's calls in its transaction, also where a module moves while it runs.

    What was done elsewhere would stay when the group is rolled back, and be done again under
    another key. So the group ends here, and its step runs alone, under its own key.
    """
    if caller.group is not None:
        error = CallRefused(f"{operation.name} is answered elsewhere: no transaction holds it.")
        caller.group.doom(error)
        raise error


class _Call:
    """One call with its repetitions."""

    def __init__(
        self,
        operation: Operation,
        target: Target,
        breaker: Breaker,
        caller: Scope,
        key: CallKey | None,
        body: bytes,
        end: float,
    ) -> None:
        self.operation = operation
        self.target = target
        self.breaker = breaker
        self.caller = caller
        self.user = end_user()
        self.body = body
        self.end = end
        if key is None and operation.kind == "command" and operation.keyed:
            key = CallKey(f"once:{uuid7()}")
        self.key = key
        self.repeatable = operation.kind == "query" or key is not None
        self.epoch = topology().epoch
        self.doubt = caller.following and key is not None and key.repeated
        """An earlier attempt may have had its effect, or is still running."""

    def run(self) -> Any:
        """Send it until there is an answer, or no time, no budget, or no sense in it."""
        attempts = ATTEMPTS if self.target.repeats else 1
        self.target.budget.earn()
        for attempt in range(1, attempts + 1):
            reason, retry_after = "", None
            try:
                return self._once()
            except _NotRun as error:
                reason, retry_after = str(error), error.retry_after
            except _InDoubt as error:
                reason, self.doubt = str(error), True
                if not self.repeatable:
                    raise Unavailable(self.operation.name, reason) from error.__cause__
            except KeyInFlight:
                # The attempt before is still running there: its answer comes under the same key.
                if not self.doubt:
                    raise
                reason = "an earlier attempt is still running"
            self._unless_moved()
            pause = delay(attempt=attempt, first=PAUSE)
            last = attempt == attempts or monotonic() + pause >= self.end
            if last or not self.target.budget.spend():
                raise Unavailable(self.operation.name, reason, retry_after=retry_after)
            row(self.operation.name)[self.caller.module].retries += 1
            time.sleep(pause)
        raise AssertionError("a loop of at least one attempt ends by itself")

    def _once(self) -> Any:
        if self.end <= monotonic():
            raise Unavailable(self.operation.name, "its deadline has passed")
        wait = self.breaker.admit() if self.target.repeats else 0.0
        if wait:
            self._unless_moved()
            raise Unavailable(
                self.operation.name,
                f"{self.target.name} did not answer lately; it is asked again in {wait:.1f} s",
                retry_after=wait,
            )
        began = monotonic()
        try:
            outcome = self._send()
        except (_NotRun, _InDoubt):
            self._failed(began)
            raise
        if outcome.status == 200:
            self.breaker.succeeded()
            try:
                return codec.decode_answer(self.operation, outcome.body)
            except CallFailed as error:
                # Unlike in process, what it did is committed by now.
                raise Unavailable(self.operation.name, error.reason) from error
        if outcome.status == MISDIRECTED and codec.is_refusal(outcome.body):
            self.breaker.succeeded()
            raise self._moved(f"its module is not in {self.target.name}")
        refused = codec.decode_error(self.operation, outcome.body)
        if not isinstance(refused, Unavailable):
            self.breaker.succeeded()
            raise refused
        if codec.is_refusal(outcome.body):
            self.breaker.succeeded()
            raise _NotRun(f"{self.target.name}: {refused.reason}", outcome.retry_after)
        self._failed(began)
        refused.retry_after = outcome.retry_after
        raise refused

    def _unless_moved(self) -> None:
        """Who is on its way to a place that is given up meanwhile finds nobody: it goes on from
        where the module is now, under the key it had.
        """
        if topology().epoch != self.epoch:
            raise self._moved(f"{self.target.name} gave no answer while modules moved")

    def _moved(self, reason: str) -> Moved:
        moved = Moved(reason)
        moved.key = self._key()
        return moved

    def _key(self) -> CallKey | None:
        if self.key is not None and self.doubt and not self.key.settling:
            return CallKey(self.key.value, repeated=True)
        return self.key

    def _failed(self, began: float) -> None:
        """Tell the breaker of an attempt that got no answer, or only that there is none."""
        now = monotonic()
        if self.end - now > LAST * (self.end - began):
            self.breaker.failed()
        else:
            patience = PATIENCE * self.operation.timeout
            self.breaker.unanswered(waited=now - began, patience=patience)

    def _send(self) -> Outcome:
        path = protocol.target(
            self.operation.interface.interface_name, self.operation.method, self._key()
        )
        try:
            return self.target.post(
                path,
                self.body,
                end=self.end,
                headers=_headers(self.caller, self.end),
                user=self.user,
            )
        except NewConnectionError as error:
            raise _NotRun(f"{self.target.name} cannot be reached: {error}") from error
        except (HTTPError, OSError) as error:
            late = monotonic() >= self.end
            reason = "no answer in time" if late else f"{type(error).__name__}: {error}"
            raise _InDoubt(f"{self.target.name}: {reason[:200]}") from error


def _headers(caller: Scope, end: float) -> dict[str, str]:
    headers = {
        "Content-Type": protocol.CONTENT_TYPE,
        protocol.DEADLINE: str(max(int((end - monotonic()) * 1000), 1)),
    }
    if caller.module:
        headers[protocol.CALLER] = caller.module
    trace = current_trace()
    if trace is not None:
        headers["traceparent"] = trace.traceparent
        headers["X-Request-ID"] = trace.request_id
    return headers
