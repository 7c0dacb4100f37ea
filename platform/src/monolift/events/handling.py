"""Running claimed deliveries. The delivery row is the inbox: done commits with the effect.

A batch runs one by one. A handler that opens a transaction marks its row done in it, as its first
statement; those that wrote nothing are marked together at the end. What the batch does not get to
within its turn it gives back, and the next claim is as long as this turn was: the rest is there for
other threads, however few lanes it is in and however slow the machine.
"""

import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import msgspec
from django.db import DatabaseError, InterfaceError

from monolift.events import deliveries
from monolift.events.deliveries import PENDING, Claimed
from monolift.events.moved import one_by_one, wherever_they_are
from monolift.events.owed import give_back_owed, owe
from monolift.events.subscriptions import named
from monolift.events.tasks import task_named
from monolift.events.wake import wake
from monolift.observe.logs import logger
from monolift.observe.trace import resumed
from monolift.observe.weighing import weighed
from monolift.registry.atomic import abort, commit
from monolift.registry.fence import behind_a_fence, refused_by_fence
from monolift.registry.scope import Scope
from monolift.registry.settings import setting
from monolift.registry.sql import execute, now
from monolift.registry.troubles import says_nothing

log = logger("monolift.events")

TURN = 0.05
"""Seconds after which a batch begins nothing more, so that what waits behind it goes elsewhere."""
SLOW = TURN
"""Seconds from which on a handler is slow: nothing else of its batch waits for it again."""


class LeaseLost(Exception):
    """Another worker has taken over; what was done here is rolled back."""


def run_due(alias: str, *, modules: Sequence[str]) -> bool:
    """Claim what is due for these modules and run it; False when nothing is."""
    give_back_owed(alias)
    share = _share.get(alias, deliveries.SHARE)
    batch = deliveries.claim(alias, modules=modules, share=share)
    if len(batch) >= share:
        wake(alias)  # there is more, for those who found nothing while this one was held
    if batch:
        run(alias, batch)
    return bool(batch)


_share: dict[str, int] = {}
"""Of each database, how many of a module are claimed: about what a turn is enough for."""


def _learn(alias: str, *, begun: int, left: int) -> None:
    if left:
        _share[alias] = min(max(begun, 1), deliveries.SHARE)
    elif begun >= (share := _share.get(alias, deliveries.SHARE)):
        _share[alias] = min(2 * share, deliveries.SHARE)


def run(alias: str, batch: Sequence[Claimed]) -> None:
    """Run claimed deliveries and record how each ended. Errors are recorded, never raised.

    One whose handler was slow before, or whose last worker crashed, runs alone when all else is
    settled or given back, so that nothing else waits or pays for it.

    Raises only when the database does not let it record anything; then it is done later.
    """
    alone = [claimed for claimed in batch if claimed.crashed or _is_slow(claimed)]
    together = [claimed for claimed in batch if claimed not in alone]
    settled: list[Claimed] = []
    try:
        give_back_owed(alias)
        left = _run_some(alias, together, settled)
        _learn(alias, begun=len(together) - len(left), left=len(left))
        if back := [*left, *alone[1:]]:
            wherever_they_are(alias, back, deliveries.give_back)
            settled += back
            wake(alias)
        _run_some(alias, alone[:1], settled)
    except (DatabaseError, InterfaceError) as error:
        if says_nothing(error) or refused_by_fence(error):
            owe(alias, [claimed for claimed in batch if claimed not in settled])
        raise


def _run_some(alias: str, batch: Sequence[Claimed], settled: list[Claimed]) -> list[Claimed]:
    """Run for a turn; what was not begun. What was recorded one by one is `settled`."""
    ended: list[Claimed] = []
    silent: list[Claimed] = []
    left = iter(batch)
    begun = time.monotonic()
    over = begun + TURN
    try:
        for claimed in left:
            outcome = _run_one(alias, claimed)
            if outcome is _SILENT:
                silent.append(claimed)
            elif outcome is _ENDED:
                ended.append(claimed)
            else:
                settled.append(claimed)
            moment = time.monotonic()
            _seconds[claimed.subscriber] = moment - begun
            begun = moment
            if begun >= over:
                break
    finally:
        _end(alias, silent, ended)
    return list(left)


def _end(alias: str, silent: Sequence[Claimed], ended: Sequence[Claimed]) -> None:
    try:
        deliveries.done(alias, silent, ended=ended)
    except DatabaseError as error:
        if not refused_by_fence(error):
            raise
        deliveries.done(alias, (), ended=ended)
        one_by_one(silent, deliveries.done)


_seconds: dict[str, float] = {}


def _is_slow(claimed: Claimed) -> bool:
    return _seconds.get(claimed.subscriber, 0.0) > SLOW


class _Mark:
    """The first statement of the handler's transaction: this delivery is done."""

    def __init__(self, claimed: Claimed) -> None:
        self.claimed = claimed

    def first(self, alias: str) -> None:
        changed = execute(
            alias,
            f"UPDATE monolift_delivery SET state = 'done', done_at = {now(alias)}, failure = '' "
            "WHERE module = %s AND event = %s AND subscriber = %s AND token = %s "
            f"AND {PENDING}",
            (*self.claimed[:3], self.claimed.token),
        )
        if not changed:
            raise LeaseLost(self.claimed.subscriber)

    def last(self, alias: str, answer: Any) -> None:
        """A handler has no answer to keep."""


_SILENT, _ENDED, _RECORDED = "wrote nothing", "ended", "recorded"


def _run_one(alias: str, claimed: Claimed) -> str:
    scope = Scope(claimed.module, None, None)
    scope.kind = "handler"
    scope.operation = claimed.subscriber
    scope.trace = resumed(claimed.trace)
    scope.key = claimed.event
    scope.unit = _Mark(claimed)
    with weighed(scope):
        try:
            _body(claimed)()
            if scope.outer is None:
                return _SILENT
            commit(scope)
            return _ENDED
        except LeaseLost as error:
            abort(scope, error)
            log.warning("delivery was taken over", event_id=claimed.event)
        except Exception as error:
            abort(scope, error)
            if behind_a_fence(error):
                _follow(alias, claimed, error)
            else:
                deliveries.failed(alias, claimed, error)
        except BaseException as error:
            abort(scope, error)
            raise
    return _RECORDED


def _follow(alias: str, claimed: Claimed, error: Exception) -> None:
    """Its module moves: nothing happened, and nothing failed. It runs where its row is then."""
    log.info("delivery follows its module", event_id=claimed.event, reason=str(error))
    try:
        one_by_one([claimed], deliveries.give_back)
    except DatabaseError as refusal:
        if not refused_by_fence(refusal):
            raise
        owe(alias, [claimed])


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


@cache
def _decoder(event: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(event)
