"""Claiming and running deliveries. The delivery row is the inbox: done commits with the effect."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec

from monolift.events.subscriptions import named
from monolift.events.tasks import task_named
from monolift.kernel import uuid7
from monolift.observe.logs import logger
from monolift.observe.trace import resumed
from monolift.registry.atomic import abort, begin, commit
from monolift.registry.scope import Scope, entered
from monolift.registry.settings import setting
from monolift.registry.sql import after, execute, fetch, now, skip_locked
from monolift.resilience.backoff import delay

log = logger("monolift.events")


class Claimed(NamedTuple):
    """A delivery that this worker holds until its lease ends."""

    module: str
    event: str
    subscriber: str
    name: str
    body: str
    trace: str
    attempts: int
    token: str


class LeaseLost(Exception):
    """Another worker has taken over; what was done here is rolled back."""


_IS_DUE = """
    d.state = 'pending' AND d.due_at <= {now}
      AND (d.lease_until IS NULL OR d.lease_until <= {now})
      AND (d.key IS NULL OR NOT EXISTS (
        SELECT 1 FROM monolift_delivery e
        WHERE e.module = d.module AND e.publisher = d.publisher AND e.key = d.key
          AND e.state <> 'done'
          AND (e.number, e.event, e.subscriber) < (d.number, d.event, d.subscriber)))"""
_DUE = (
    "SELECT d.module, d.event, d.subscriber FROM monolift_delivery d WHERE "
    + _IS_DUE
    + " {modules} ORDER BY d.due_at LIMIT 1"
)


def waiting_modules(alias: str, modules: Sequence[str]) -> list[str]:
    """Those of the modules that have a delivery which could be claimed now."""
    names = ", ".join(["(%s)"] * len(modules))
    rows = fetch(
        alias,
        f"WITH known(module) AS (VALUES {names}) "
        "SELECT known.module FROM known WHERE EXISTS ("
        "SELECT 1 FROM monolift_delivery d WHERE d.module = known.module AND "
        f"{_IS_DUE.format(now=now(alias))})",
        modules,
    )
    return [module for (module,) in rows]


def run_next(alias: str, *, module: str | None = None) -> bool:
    """Claim and run the next due delivery, of one module or of any; False when none is due."""
    claimed = claim(alias, module=module)
    if claimed is None:
        return False
    run(alias, claimed)
    return True


def claim(alias: str, *, module: str | None = None) -> Claimed | None:
    """Take the head of a lane. The attempt is counted before it runs, so a crash counts too."""
    modules = "AND d.module = %s" if module else ""
    only = (module,) if module else ()
    due = _DUE.format(now=now(alias), modules=modules)
    if not fetch(alias, due, only):
        return None
    rows = fetch(
        alias,
        f"WITH picked AS ({due} {skip_locked(alias)}) "
        "UPDATE monolift_delivery SET attempts = attempts + 1, "
        f"lease_until = {after(alias, setting('LEASE'))}, token = %s FROM picked "
        "WHERE monolift_delivery.module = picked.module "
        "AND monolift_delivery.event = picked.event "
        "AND monolift_delivery.subscriber = picked.subscriber "
        "RETURNING monolift_delivery.module, monolift_delivery.event, "
        "monolift_delivery.subscriber, name, body, trace, attempts, token",
        (*only, str(uuid7())),
    )
    return Claimed(*rows[0]) if rows else None


class _Mark:
    """The first statement of the handler's transaction: this delivery is done."""

    def __init__(self, claimed: Claimed) -> None:
        self.claimed = claimed

    def first(self, alias: str) -> None:
        changed = execute(
            alias,
            f"UPDATE monolift_delivery SET state = 'done', done_at = {now(alias)}, failure = '' "
            "WHERE module = %s AND event = %s AND subscriber = %s AND token = %s "
            "AND state = 'pending'",
            (*self.claimed[:3], self.claimed.token),
        )
        if not changed:
            raise LeaseLost(self.claimed.subscriber)

    def last(self, alias: str, answer: Any) -> None:
        """A handler has no answer to keep."""


def run(alias: str, claimed: Claimed) -> None:
    """Run a claimed delivery and record how it ended. Errors are recorded, never raised."""
    scope = Scope(claimed.module, None, None)
    scope.kind = "handler"
    scope.operation = claimed.subscriber
    scope.trace = resumed(claimed.trace)
    scope.key = claimed.event
    scope.unit = _Mark(claimed)
    with entered(scope):
        try:
            _body(claimed)()
            if scope.outer is None:
                begin(scope, alias)
            commit(scope)
        except LeaseLost as error:
            abort(scope, error)
            log.warning("delivery was taken over", event_id=claimed.event)
        except Exception as error:
            abort(scope, error)
            _failed(alias, claimed, error)
        except BaseException as error:
            abort(scope, error)
            raise


def _body(claimed: Claimed) -> Callable[[], None]:
    if claimed.attempts > setting("ATTEMPTS"):
        raise RuntimeError("its worker ended while it ran, at every attempt")
    subscription = named(claimed.name, claimed.subscriber)
    if subscription is not None:
        event = _decoder(subscription.event).decode(claimed.body)
        return lambda: subscription.handler(event)
    task = task_named(claimed.subscriber)
    if task is None:
        raise LookupError(f"no subscriber or task is called {claimed.subscriber!r} here")
    arguments = task.decode(claimed.body)
    return lambda: task.function(**arguments)


def _failed(alias: str, claimed: Claimed, error: Exception) -> None:
    final = claimed.attempts >= setting("ATTEMPTS")
    state = "failed" if final else "pending"
    due = now(alias) if final else after(alias, delay(attempt=claimed.attempts))
    execute(
        alias,
        f"UPDATE monolift_delivery SET state = %s, failure = %s, lease_until = NULL, "
        f"due_at = {due} WHERE module = %s AND event = %s AND subscriber = %s AND token = %s",
        (state, f"{type(error).__name__}: {error}"[:2000], *claimed[:3], claimed.token),
    )
    report = log.error if final else log.warning
    report(
        "delivery failed" if final else "delivery will be repeated",
        event_id=claimed.event,
        attempt=claimed.attempts,
        exc_info=error,
    )


@cache
def _decoder(event: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(event)


def resubmit(alias: str, *, module: str, event: str, subscriber: str) -> bool:
    """Run a failed delivery again, its attempts counted anew; False when there is none."""
    return bool(
        execute(
            alias,
            f"UPDATE monolift_delivery SET state = 'pending', attempts = 0, due_at = {now(alias)} "
            "WHERE module = %s AND event = %s AND subscriber = %s AND state = 'failed'",
            (module, event, subscriber),
        )
    )


def skip(alias: str, *, module: str, event: str, subscriber: str) -> bool:
    """Give a failed delivery up, so that its lane goes on; False when there is none."""
    return bool(
        execute(
            alias,
            f"UPDATE monolift_delivery SET state = 'done', done_at = {now(alias)}, "
            "failure = 'skipped: ' || failure "
            "WHERE module = %s AND event = %s AND subscriber = %s AND state = 'failed'",
            (module, event, subscriber),
        )
    )
