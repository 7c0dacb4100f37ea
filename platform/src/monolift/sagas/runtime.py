"""Starting, running inline and finding sagas: what `Saga.start`, `Saga.run` and `Saga.find` do."""

import contextlib
import time
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError

from monolift.events.wake import wake, wake_after_commit
from monolift.kernel import (
    CallInsideTransaction,
    CallRefused,
    Saga,
    SagaRun,
    SagaStatus,
    Unavailable,
)
from monolift.kernel.clock import monotonic
from monolift.observe.logs import logger
from monolift.registry.fence import refused_by_fence
from monolift.registry.scope import Scope, current
from monolift.registry.topology import topology
from monolift.registry.transactions import foreign_transaction
from monolift.registry.troubles import says_nothing
from monolift.sagas.owed import let_go_owed, owe
from monolift.sagas.record import AlreadyStarted, LeaseLost, Record
from monolift.sagas.runner import Runner

log = logger("monolift.sagas")

_LOOK_AGAIN = 0.02


class Runtime:
    """Gives the declared sagas their life; installed when Django starts."""

    def start(self, saga: Saga) -> SagaRun[Any]:
        """Store the saga in the caller's transaction or in a commit of its own."""
        scope = _own(saga)
        alias = topology().alias(saga.saga_owner)
        if scope.depth and scope.alias != alias:
            raise CallRefused(
                f"{type(saga).__name__} belongs to {saga.saga_owner} on {alias!r}, but the open "
                f"transaction is on {scope.alias!r}."
            )
        record = Record.new(alias, saga)
        try:
            record.insert(held=False)
        except AlreadyStarted:
            known = Record.find(alias, type(saga), key=saga.key)
            if known is None:
                raise Unavailable(saga.saga_name, "its twin was just rolled back") from None
            return known.view()
        if scope.depth:
            wake_after_commit(alias)
        else:
            wake(alias)
        return record.view()

    def run(self, saga: Saga, *, timeout: float) -> SagaRun[Any]:
        """Run the saga here, up to its first wait or for `timeout` seconds."""
        scope = _own(saga)
        if scope.depth or scope.closed or foreign_transaction():
            raise CallInsideTransaction(
                f"{type(saga).__name__}.run() inside a transaction. Run it before atomic(), or "
                "use start(), which joins the transaction and runs after its commit."
            )
        deadline = monotonic() + timeout
        if scope.deadline is not None:
            deadline = min(deadline, scope.deadline)
        try:
            record = _run(saga, deadline)
        except DatabaseError as error:
            if isinstance(error, OperationalError | InterfaceError):
                raise Unavailable(saga.saga_name, f"its database: {error}") from error
            if not scope.managed and refused_by_fence(error):
                raise Unavailable(saga.saga_name, "its module has moved") from error
            raise  # a call is made again where its module is
        except InterfaceError as error:
            raise Unavailable(saga.saga_name, f"its database: {error}") from error
        wake(record.alias)
        return record.view()

    def find(self, saga: type[Saga], *, key: str) -> SagaRun[Any] | None:
        """How the saga of that key stands."""
        record = Record.find(topology().alias(saga.saga_owner), saga, key=key)
        return record.view() if record else None


def run_next(alias: str) -> bool:
    """Claim the next saga that has work to do and run it; False when there is none."""
    let_go_owed(alias)
    record = Record.claim(alias)
    if record is None:
        return False
    try:
        _advance(record)
    except (LeaseLost, AlreadyStarted):
        log.warning("saga was taken over", saga_id=record.id)
    return True


def _place(saga: Saga) -> str:
    return topology().alias(saga.saga_owner)


def _run(saga: Saga, deadline: float) -> Record:
    alias = _place(saga)
    let_go_owed(alias)
    record = Record.new(alias, saga)
    try:
        return _advance(record, deadline)
    except AlreadyStarted:
        return _follow(saga, deadline)
    except LeaseLost:
        return Record.find(_place(saga), type(saga), key=saga.key) or record


def _advance(record: Record, deadline: float | None = None) -> Record:
    """Run it; the record, which is another one when the saga has moved."""
    runner = Runner(record, deadline=deadline)
    try:
        runner.run()
    except (DatabaseError, InterfaceError) as error:
        if says_nothing(error):
            held = runner.held.record
            owe(held)
            with contextlib.suppress(DatabaseError, InterfaceError):
                let_go_owed(held.alias)
        raise
    return runner.held.record


def _follow(saga: Saga, deadline: float) -> Record:
    """Another worker has this saga, or had it: go on with it, or watch until it rests."""
    while True:
        alias = _place(saga)
        known = Record.find(alias, type(saga), key=saga.key)
        if known is None:
            raise Unavailable(saga.saga_name, "its twin was just rolled back")
        rests = known.status.ended or known.status is SagaStatus.WAITING
        if rests or known.answered or monotonic() > deadline:
            return known
        claimed = Record.claim(alias, identifier=known.id)
        if claimed is None:
            time.sleep(_LOOK_AGAIN)
            continue
        try:
            return _advance(claimed, deadline)
        except (LeaseLost, AlreadyStarted):
            continue


def _own(saga: Saga) -> Scope:
    scope = current()
    if scope.managed and scope.module != saga.saga_owner:
        raise CallRefused(
            f"{scope.module} starts {type(saga).__name__}, which {saga.saga_owner} owns. Offer a "
            f"command in {saga.saga_owner}'s interface that starts it."
        )
    return scope
