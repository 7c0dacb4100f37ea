"""Running one call in the process of its module: guards, scope, key, the one commit, errors."""

import warnings
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError

from monolift.kernel import (
    CallFailed,
    CallInsideTransaction,
    CallRefused,
    DomainError,
    NeverHappened,
    Operation,
    Unavailable,
)
from monolift.kernel.clock import monotonic
from monolift.kernel.ids import uuid7
from monolift.registry.atomic import abort, begin, commit
from monolift.registry.fence import refused_by_fence
from monolift.registry.proxies import Binding
from monolift.registry.scope import CallKey, Scope, entered
from monolift.registry.settings import setting
from monolift.registry.topology import topology
from monolift.registry.transactions import foreign_transaction
from monolift.resilience.idempotency import Answered, Clashed, KeyedCommand, Stored, replay
from monolift.transport.following import Moved

type HandOver = Callable[[Any], Any]


def _as_it_is(answer: Any) -> Any:
    return answer


class Target:
    """One operation and the method that answers it here."""

    __slots__ = ("method", "module", "operation")

    def __init__(self, binding: Binding, operation: Operation) -> None:
        self.operation = operation
        self.module = binding.module
        self.method: Callable[..., Any] = getattr(binding.implementation, operation.method)


def admit(caller: Scope, operation: Operation) -> CallKey | None:
    """Check that a call may be made here and now; the key it goes under, if it has one."""
    if caller.depth or caller.closed or caller.outer is not None:
        raise CallInsideTransaction(
            f"{caller.operation or caller.module or 'This code'} calls {operation.name} inside "
            "atomic(). Make the call before the block and use its answer inside: a transaction "
            "does not reach into another module."
        )
    alias = foreign_transaction()
    if alias is not None:
        message = (
            f"{operation.name} is called inside a Django transaction on {alias!r}. Call it before "
            "the transaction; for a view, turn ATOMIC_REQUESTS off or use non_atomic_requests."
        )
        if setting("CALLS_IN_TRANSACTION") != "warn":
            raise CallInsideTransaction(message)
        warnings.warn(message, RuntimeWarning, stacklevel=4)
    return caller.outgoing.admit(operation) if caller.outgoing is not None else None


def scope_of(target: Target, caller: Scope) -> Scope:
    """The scope of a call: its module, and a deadline that is never later than the caller's."""
    start = monotonic()
    deadline = start + target.operation.timeout
    if caller.deadline is not None and caller.deadline < deadline:
        deadline = caller.deadline
        if deadline <= start:
            raise Unavailable(target.operation.name, "the caller's deadline has passed")
    scope = Scope(target.module, caller, deadline)
    scope.operation = target.operation.name
    scope.weighed_with(caller)
    group = caller.group
    if group is not None:
        scope.plain = False
        scope.group = group
    return scope


def perform(
    target: Target,
    caller: Scope,
    key: CallKey | None,
    arguments: dict[str, Any],
    *,
    hand_over: HandOver = _as_it_is,
) -> Any:
    """Run the call and give its answer, or raise what its caller may expect.

    `hand_over` brings the answer into the form it leaves in. It runs before the commit, so that an
    answer that cannot leave takes the effect back with it.
    """
    operation = target.operation
    scope = scope_of(target, caller)
    if operation.kind == "command" and key is not None and scope.group is None:
        try:
            return _keyed(target, scope, key, arguments, hand_over)
        except Moved as moved:
            moved.key = key
            raise
    if operation.external:
        if scope.group is not None:
            error = CallRefused(f"{operation.name} is external: no transaction holds it.")
            scope.group.doom(error)
            raise error
        scope.key = f"once:{uuid7()}"
    with entered(scope):
        try:
            answer = hand_over(target.method(**arguments))
            commit(scope, answer)
        except BaseException as error:
            raised = failure(operation, scope, error)
            if raised is error:
                raise
            raise raised from error
    return answer


def failure(operation: Operation, scope: Scope, error: BaseException) -> BaseException:
    """Roll back, and turn what the body raised into what a caller may expect."""
    abort(scope, error)
    if scope.group is not None:
        scope.group.doom(error)
    if isinstance(error, operation.raises) or not isinstance(error, Exception):
        return error
    if isinstance(error, Unavailable):
        return error
    if isinstance(error, CallFailed) and error.operation == operation.name:
        return error  # its answer cannot be handed over
    if isinstance(error, DatabaseError):
        return unanswered(operation, scope, error)
    if isinstance(error, DomainError):
        return CallFailed(
            operation.name,
            f"it raised {type(error).__name__}, which its raises= does not declare",
        )
    return CallFailed(operation.name, f"{type(error).__name__}: {error}")


def unanswered(
    operation: Operation, scope: Scope, error: DatabaseError
) -> Moved | Unavailable | CallFailed:
    """What a caller may expect when the module's database gave no answer, or refused.

    In a group there is nothing to make again: the group ends, and goes another way.
    """
    if refused_by_fence(error):
        if scope.group is None:
            return Moved("its module has moved")
        return Unavailable(operation.name, "its module has moved")
    if isinstance(error, OperationalError | InterfaceError):
        return Unavailable(operation.name, f"its database: {error}")
    return CallFailed(operation.name, f"{type(error).__name__}: {error}")


def _keyed(
    target: Target, scope: Scope, key: CallKey, arguments: dict[str, Any], hand_over: HandOver
) -> Any:
    operation = target.operation
    alias = topology().alias(target.module)
    unit = KeyedCommand(operation, target.module, key, operation.arguments(**arguments))
    try:
        stored = _known(unit, alias)
    except DatabaseError as error:
        raise unanswered(operation, scope, error) from error
    if stored is not None:
        return replay(operation, stored)
    scope.unit = unit
    scope.key = key.value
    with entered(scope):
        try:
            answer = hand_over(target.method(**arguments))
            if scope.outer is None:  # the body wrote nothing of its own: the key alone commits
                begin(scope, alias)
            commit(scope, answer)
        except Answered as known:
            abort(scope, known)
            return replay(operation, known.stored)
        except Clashed as clash:
            abort(scope, clash)
            raise clash.error from None
        except BaseException as error:
            raised = failure(operation, scope, error)
            if operation.external:
                if isinstance(raised, DomainError):
                    unit.refuse(alias, raised)
                elif not isinstance(raised, Moved):  # whose key has moved too
                    unit.let_go(alias)
            if raised is error:
                raise
            raise raised from error
    return answer


def _known(unit: KeyedCommand, alias: str) -> Stored | None:
    """What is stored already; None when the body has to run now."""
    if unit.key.settling:
        stored = unit.look(alias)
        if stored is None and unit.bury(alias):
            raise NeverHappened(f"{unit.operation.name} never ran under {unit.key.value!r}.")
        stored = stored or unit.look(alias)
        if stored is not None and stored.state != "started":
            return stored
        # An external effect with no known outcome: repeating it under its key asks the other side.
        return unit.start(alias)
    if unit.operation.external:
        return unit.start(alias)
    return unit.look(alias) if unit.key.repeated else None
