"""Running the code of one step: its scope, and the calls it may make."""

from collections.abc import Callable
from typing import Any

from monolift.kernel import Operation, Step, UndeclaredCall
from monolift.kernel.clock import monotonic
from monolift.observe.trace import resumed
from monolift.observe.weighing import weighed
from monolift.registry.atomic import atomic
from monolift.registry.scope import CallKey, Scope
from monolift.sagas.record import Record


class FusedGroup:
    """A transaction shared by steps; the first thing that goes wrong inside dooms it."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.doomed: BaseException | None = None

    def doom(self, error: BaseException) -> None:
        """Remember the first error, caught or not."""
        self.doomed = self.doomed or error


class Doomed(Exception):
    """Something went wrong in the group that the step itself took care of: it must run alone."""


class StepCalls:
    """Admits what `calls=` names, at most one command, under the step's key."""

    def __init__(
        self, record: Record, step: Step[Any], *, undo: bool, fused: bool, settling: bool
    ) -> None:
        self.step = step
        self.undo = undo
        self.fused = fused
        self.key = CallKey(
            f"{record.id}:{step.name}" + (":undo" if undo else ""),
            repeated=record.tried or settling,
            settling=settling,
        )
        self.commanded: Operation | None = None

    def admit(self, operation: Operation) -> CallKey | None:
        """The step's key for its command; no key for a query, nor inside a group."""
        allowed = (
            operation.interface in self.step.interfaces
            if self.undo
            else operation in self.step.calls
        )
        if not allowed:
            raise UndeclaredCall(
                f"The step {self.step.name!r} calls {operation.name}, which its calls= does not "
                f"name. Add {operation.interface.__name__}.{operation.method} to it."
            )
        if operation.kind == "query":
            return None
        if self.commanded is not None:
            raise UndeclaredCall(
                f"The step {self.step.name!r} makes a second command, {operation.name} after "
                f"{self.commanded.name}. Make it two steps: each is repeated or undone alone."
            )
        self.commanded = operation
        return None if self.fused else self.key


def act(
    record: Record,
    step: Step[Any],
    *arguments: Any,
    group: FusedGroup | None,
    undo: bool = False,
    settling: bool = False,
    deadline: float | None = None,
) -> None:
    """Run a step's action or undo on the saga in memory.

    A step that calls runs outside any transaction of its own; one that does not writes in `group`.
    """
    action: Callable[..., None] = step.action
    if undo:
        if step.undo_action is None:
            return
        action = step.undo_action
    scope = Scope(record.module, None, deadline)
    scope.kind = "step"
    scope.operation = f"{record.saga.saga_name}.{step.name}" + (".undo" if undo else "")
    scope.trace = resumed(record.trace)
    scope.group = group
    scope.plain = False
    with weighed(scope):
        if step.declared_calls:
            scope.outgoing = StepCalls(
                record, step, undo=undo, fused=group is not None, settling=settling
            )
            action(record.saga, *arguments)
        else:
            with atomic():
                action(record.saga, *arguments)
    if group is not None and group.doomed is not None:
        raise Doomed(str(group.doomed)) from group.doomed


def time_left(deadline: float | None) -> bool:
    """False when a deadline of this process has passed."""
    return deadline is None or monotonic() < deadline
