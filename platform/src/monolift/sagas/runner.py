"""The saga runner.

Forward, steps whose participants share this process and the saga's database commit together, as an
*optimistic group*: if anything goes wrong in it, it is rolled back, the steps before the failing
one commit as a shorter group, and the failing one runs alone by the rules below. So a fused run
ends as an unfused one would, and the price is paid on failure only.

Alone, a step that calls others is recorded as an intent first, runs outside any transaction under
the key `<saga>:<step>`, and its result is saved after: a crash in between repeats it harmlessly.

Backward, an intent without a result is settled (its answer is fetched, or it is made sure that it
never happens), then every done or doubtful step is undone in reverse, all of them even if one
cannot be.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import InterfaceError, OperationalError

from monolift.kernel import (
    CallFailed,
    DomainError,
    KeyInFlight,
    NeverHappened,
    SagaStatus,
    Step,
    Unavailable,
)
from monolift.kernel.clock import monotonic
from monolift.observe.logs import logger
from monolift.registry.transactions import GroupAtomic
from monolift.resilience.backoff import delay
from monolift.sagas import arrivals
from monolift.sagas.plan import group_at
from monolift.sagas.record import (
    NEVER_DUE,
    AlreadyStarted,
    Intent,
    LeaseLost,
    Progress,
    Record,
    Refusal,
)
from monolift.sagas.steps import FusedGroup, act, time_left

log = logger("monolift.sagas")

_DEADLOCK_TRIES = 3


class Runner:
    """Runs one saga that this worker holds, until it ends, waits, or its time here is over."""

    def __init__(self, record: Record, *, deadline: float | None = None) -> None:
        self.record = record
        self.steps: tuple[Step[Any], ...] = record.saga.saga_steps
        self.deadline = deadline
        self._alone = record.crashed
        """Run the next step unfused: something may be wrong with it."""
        self._released = False

    @property
    def progress(self) -> Progress:
        """Where the saga stands."""
        return self.record.progress

    def run(self) -> None:
        """Go on as far as it goes. Raises LeaseLost, AlreadyStarted and lost connections only."""
        if self.record.crashed:
            self._count_crash()
        while not self._released:
            if not time_left(self.deadline):
                self._save(release=True)
                return
            match self.record.status:
                case SagaStatus.RUNNING | SagaStatus.WAITING:
                    self._forward()
                case SagaStatus.UNDOING:
                    self._backward()
                case _:
                    return

    def _count_crash(self) -> None:
        """An attempt that ended its worker counts, so that what kills every worker is given up."""
        self.progress.log(self._current(), "crashed", f"attempt {self.record.attempts}")
        if self.record.attempts < self.record.saga.saga_attempts:
            return
        self.record.failure = f"{self._current()}: its worker died while it ran"
        if self.record.status is SagaStatus.UNDOING:
            step = self._next_undo()
            if step is not None and not (self.progress.intent and not self.progress.intent.undo):
                self._cannot_undo(step)
        else:
            self._give_up()

    # Forward ---------------------------------------------------------------------------------

    def _forward(self) -> None:
        intent = self.progress.intent
        if intent is not None:
            self._call_alone(self._step(intent.step))
        elif self.progress.cursor == len(self.steps):
            self._end(SagaStatus.DONE)
        else:
            step = self.steps[self.progress.cursor]
            if step.awaits:
                self._await(step)
            elif self._may_fuse() and (group := group_at(type(self.record.saga), self._cursor)):
                self._group(group)
            elif step.declared_calls:
                self._call_alone(step)
            else:
                self._own_alone(step)

    def _may_fuse(self) -> bool:
        return not self._alone and self.record.attempts == 0

    @property
    def _cursor(self) -> int:
        return int(self.progress.cursor)

    def _group(self, group: Sequence[Step[Any]]) -> None:
        """Run steps in one transaction; on any trouble split it at the step that failed."""
        before = self.record.snapshot()
        failed, error = self._try_group(group)
        if error is None:
            return
        self.record.restore(before)
        if failed == 0 and isinstance(error, DomainError) and self.record.attempts == 0:
            self._refused(group[0], error, external=False)
            return
        self._save()  # what was carried from an external step, or the saga itself
        if failed > 0:
            self._group(group[:failed])
        if self.progress.cursor == self.steps.index(group[failed]) and (
            self.record.status is SagaStatus.RUNNING
        ):
            self._alone = True

    def _try_group(self, group: Sequence[Step[Any]]) -> tuple[int, BaseException | None]:
        before = self.record.snapshot()
        for attempt in range(1, _DEADLOCK_TRIES + 1):
            reached = 0
            try:
                with self._transaction() as fused:
                    if not self.record.stored:
                        self.record.insert(held=True)
                    for step in group:
                        act(self.record, step, group=fused, deadline=self.deadline)
                        self._done(step, "fused" if len(group) > 1 else "done")
                        reached += 1
                    self._intend_next()
                    self._write()
                self._after_commit()
                return reached, None
            except (LeaseLost, AlreadyStarted):
                raise
            except Exception as error:
                _raise_if_uncertain(error)
                self.record.restore(before)
                if not _serialisation_failure(error) or attempt == _DEADLOCK_TRIES:
                    return min(reached, len(group) - 1), error
        raise AssertionError("unreachable")

    def _intend_next(self) -> None:
        """The next unfused step's intent rides in this commit, and so does the saga's end."""
        if self._cursor == len(self.steps):
            self._mark_end(SagaStatus.DONE)
            return
        step = self.steps[self._cursor]
        if step.declared_calls and not group_at(type(self.record.saga), self._cursor):
            self._intend(step)

    def _own_alone(self, step: Step[Any]) -> None:
        """Its own tables and the saga in one commit."""
        before = self.record.snapshot()
        try:
            with self._transaction() as own:
                if not self.record.stored:
                    self.record.insert(held=True)
                act(self.record, step, group=own, deadline=self.deadline)
                self._done(step, "done")
                self._intend_next()
                self._write()
            self._after_commit()
        except (LeaseLost, AlreadyStarted):
            raise
        except DomainError as error:
            self.record.restore(before)
            self._refused(step, error, external=False)
        except Exception as error:
            _raise_if_uncertain(error)
            self.record.restore(before)
            self._again_or_give_up(step, error)

    def _call_alone(self, step: Step[Any]) -> None:
        """Intent first, then the effect under the step's key; the result rides in the next save."""
        if self.progress.intent is None:
            self._intend(step)
            self._save()
        elif not self.record.stored:
            self._save()
        before = self.record.snapshot()
        try:
            act(self.record, step, group=None, deadline=self.deadline)
        except DomainError as error:
            self.record.restore(before)
            self._refused(step, error, external=_external(step))
        except Exception as error:
            self.record.restore(before)
            self._again_or_give_up(step, error)
        else:
            first = self.record.attempts == 0 and not self.record.crashed
            self._done(step, "done")
            if first and self._more_to_do():
                self._carry()
            else:
                self._finish_or_save()

    def _more_to_do(self) -> bool:
        return self._cursor < len(self.steps) and not self.steps[self._cursor].awaits

    def _carry(self) -> None:
        """The result is carried into the next commit (the first attempt only)."""
        step = self.steps[self._cursor]
        if step.declared_calls and not group_at(type(self.record.saga), self._cursor):
            self._intend(step)
            self._save()

    def _finish_or_save(self) -> None:
        if self._cursor == len(self.steps):
            self._mark_end(SagaStatus.DONE)
        self._save()
        self._alone = False

    def _await(self, step: Step[Any]) -> None:
        """Take the event if it is there; else rest until it comes or its time is over."""
        matches = arrivals.match_of(step, self.record.saga)
        found = arrivals.find(self.record, step, matches)
        if found is None:
            if self.record.status is SagaStatus.WAITING and self.record.due:
                self.record.status = SagaStatus.RUNNING
                self.record.waits_for = None
                self._refused(step, None, external=False)
                return
            started = self.record.status is not SagaStatus.WAITING
            self.record.status = SagaStatus.WAITING
            self.record.waits_for = matches
            if started:
                self.progress.log(step.name, "waiting", matches)
            self._rest(step)
            return
        before = self.record.snapshot()
        try:
            with self._transaction() as own:
                self.record.status = SagaStatus.RUNNING
                self.record.waits_for = None
                act(self.record, step, found.event, group=own, deadline=self.deadline)
                arrivals.take(self.record, found)
                self._done(step, "arrived")
                self._intend_next()
                self._write()
            self._after_commit()
        except LeaseLost:
            raise
        except DomainError as error:
            self.record.restore(before)
            self.record.status = SagaStatus.RUNNING
            self._refused(step, error, external=False)
        except Exception as error:
            _raise_if_uncertain(error)
            self.record.restore(before)
            self._again_or_give_up(step, error)

    def _rest(self, step: Step[Any]) -> None:
        if step.within is None:
            self._save(release=True, due=NEVER_DUE)
        else:
            self._save(release=True, wait=step.within.total_seconds())

    # What went wrong ---------------------------------------------------------------------------

    def _refused(self, step: Step[Any], error: DomainError | None, *, external: bool) -> None:
        """An expected refusal: turn back, or rest as stuck when there is no way back."""
        reason = f"{step.name}: {error.detail if error else 'its time to wait is over'}"
        self.record.failure = reason
        self.progress.log(step.name, "refused", reason)
        self.record.attempts = 0
        if self._past_pivot():
            self._end(SagaStatus.STUCK)
            return
        self.progress.intent = None
        # Nobody can roll an effect back that left the process: its undo runs as well.
        self.progress.marks[step.name] = "doubt" if external else "never"
        if error is not None:
            self.progress.refusal = Refusal(error.code, error.fields)
        self._turn_back()

    def _again_or_give_up(self, step: Step[Any], error: BaseException) -> None:
        """Repeat later under the same key, up to the saga's attempts."""
        self.record.attempts += 1
        self.record.failure = f"{step.name}: {type(error).__name__}: {error}"
        self.progress.log(step.name, "failed", f"attempt {self.record.attempts}: {error}")
        log.warning(
            "saga step failed",
            saga=self.record.saga.saga_name,
            saga_id=self.record.id,
            step=step.name,
            attempt=self.record.attempts,
            exc_info=error,
        )
        if self.record.attempts < self.record.saga.saga_attempts:
            self._pause()
        else:
            self._give_up()

    def _give_up(self) -> None:
        if self._past_pivot():
            self._end(SagaStatus.STUCK)
        else:
            self._turn_back()

    def _pause(self) -> None:
        """Wait out the backoff here when there is time, else let a worker go on later."""
        wait = delay(attempt=self.record.attempts)
        self._alone = True
        if self.deadline is not None and monotonic() + wait < self.deadline:
            self._save()
            time.sleep(wait)
        else:
            self._save(release=True, wait=wait)

    def _turn_back(self) -> None:
        self.record.status = SagaStatus.UNDOING
        self.record.attempts = 0
        if not self.record.stored or self._nothing_to_undo():
            self._end(SagaStatus.UNDONE)
        else:
            self._save()

    def _nothing_to_undo(self) -> bool:
        return self.progress.intent is None and self._next_undo() is None

    # Backward ----------------------------------------------------------------------------------

    def _backward(self) -> None:
        intent = self.progress.intent
        if intent is not None and not intent.undo:
            self._settle(self._step(intent.step))
            return
        step = self._next_undo()
        if step is not None:
            self._undo(step)
            return
        stuck = "undo failed" in self.progress.marks.values()
        self._end(SagaStatus.STUCK if stuck else SagaStatus.UNDONE)

    def _next_undo(self) -> Step[Any] | None:
        marks = self.progress.marks
        step: Step[Any]
        for step in reversed(self.steps):
            if marks.get(step.name) not in ("done", "doubt"):
                continue
            if step.undo_action is None:
                marks[step.name] = "kept"
            else:
                return step
        return None

    def _settle(self, step: Step[Any]) -> None:
        """Learn what became of an effect without a result, or make sure that it never happens."""
        before = self.record.snapshot()
        try:
            act(self.record, step, group=None, settling=True, deadline=self.deadline)
        except NeverHappened:
            self.record.restore(before)
            self._settled(step, "never")
        except DomainError as error:
            self.record.restore(before)
            if self.progress.refusal is None:
                self.progress.refusal = Refusal(error.code, error.fields)
            self._settled(step, "doubt" if _external(step) else "never")
        except (Unavailable, KeyInFlight, CallFailed) as error:
            self.record.restore(before)
            self.record.attempts += 1
            self.progress.log(step.name, "not settled", str(error))
            self.record.failure = f"{step.name}: not settled: {error}"
            if self.record.attempts >= 2 * self.record.saga.saga_attempts:
                self._end(SagaStatus.STUCK)
            else:
                self._pause()
        except LeaseLost:
            raise
        except Exception as error:
            # The step's own code fails around its call. What it learned from the answer before that
            # is all its undo has to go by, so it stays.
            learned = self.record.saga
            self.record.restore(before)
            self.record.saga = learned
            if step.pivot:  # perhaps there is no way back any more: a human has to look
                self.record.failure = f"{step.name}: not settled: {type(error).__name__}: {error}"
                self.progress.log(step.name, "not settled", str(error))
                self._end(SagaStatus.STUCK)
                return
            self.progress.log(step.name, "doubtful", str(error))
            self._settled(step, "doubt")
        else:
            if step.pivot:  # it did happen: there is no way back any more
                self.record.status = SagaStatus.RUNNING
                self.progress.refusal = None
            self._settled(step, "done")
            if step.pivot:
                self.progress.cursor = self.steps.index(step) + 1
                self._save()

    def _settled(self, step: Step[Any], mark: str) -> None:
        self.progress.marks[step.name] = mark
        self.progress.intent = None
        self.progress.log(step.name, "settled", mark)
        self.record.attempts = 0
        if not (step.pivot and mark == "done"):
            self._save()

    def _undo(self, step: Step[Any]) -> None:
        """Take one step back; a step that cannot be is left marked, and the others go on."""
        before = self.record.snapshot()
        try:
            if step.declared_calls:
                if self.progress.intent is None:
                    self._intend(step, undo=True)
                    self._save()
                    before = self.record.snapshot()
                act(self.record, step, group=None, undo=True, deadline=self.deadline)
                self._undone(step)
                self._save()
            else:
                with self._transaction() as own:
                    act(self.record, step, group=own, undo=True, deadline=self.deadline)
                    self._undone(step)
                    self._write()
                self._after_commit()
        except LeaseLost:
            raise
        except Exception as error:
            _raise_if_uncertain(error)
            self.record.restore(before)
            self.record.attempts += 1
            self.progress.log(step.name, "undo failed", f"attempt {self.record.attempts}: {error}")
            log.error(
                "saga undo failed",
                saga=self.record.saga.saga_name,
                saga_id=self.record.id,
                step=step.name,
                attempt=self.record.attempts,
                exc_info=error,
            )
            if self.record.attempts >= self.record.saga.saga_attempts:
                self.record.failure = f"undo of {step.name}: {type(error).__name__}: {error}"
                self._cannot_undo(step)
            else:
                self._pause()

    def _cannot_undo(self, step: Step[Any]) -> None:
        self.progress.marks[step.name] = "undo failed"
        self.progress.intent = None
        self.record.attempts = 0
        self._save()

    def _undone(self, step: Step[Any]) -> None:
        self.progress.marks[step.name] = "undone"
        self.progress.intent = None
        self.progress.log(step.name, "undone")
        self.record.attempts = 0

    # Bookkeeping -------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[FusedGroup]:
        with GroupAtomic(using=self.record.alias, savepoint=True, durable=False):
            yield FusedGroup(self.record.alias)

    def _done(self, step: Step[Any], how: str) -> None:
        self.progress.marks[step.name] = "done"
        self.progress.cursor = self.steps.index(step) + 1
        self.progress.intent = None
        self.progress.log(step.name, how)
        self.record.attempts = 0
        self.record.failure = ""

    def _intend(self, step: Step[Any], *, undo: bool = False) -> None:
        self.progress.intent = Intent(step.name, undo)

    def _mark_end(self, status: SagaStatus) -> None:
        self.record.status = status
        self.progress.log("", status.value)

    def _end(self, status: SagaStatus) -> None:
        self._mark_end(status)
        if status is SagaStatus.STUCK:
            log.error(
                "saga is stuck",
                saga=self.record.saga.saga_name,
                saga_id=self.record.id,
                failure=self.record.failure,
            )
        self._save()

    def _write(self) -> None:
        self.record.save(release=self.record.status.ended)

    def _save(self, *, release: bool = False, wait: float = 0.0, due: Any = None) -> None:
        self._released = release or self.record.status.ended
        self.record.save(release=self._released, delay=wait, due=due)
        self._after_commit()

    def _after_commit(self) -> None:
        self._alone = False
        self.record.crashed = False
        if self.record.status.ended:
            self._released = True

    def _step(self, name: str) -> Step[Any]:
        return next(step for step in self.steps if step.name == name)

    def _current(self) -> str:
        if self.progress.intent is not None:
            return str(self.progress.intent.step)
        return self.steps[self._cursor].name if self._cursor < len(self.steps) else ""

    def _past_pivot(self) -> bool:
        marks = self.progress.marks
        return any(step.pivot and marks.get(step.name) == "done" for step in self.steps)


def _external(step: Step[Any]) -> bool:
    return any(operation.external for operation in step.commands)


def _serialisation_failure(error: BaseException) -> bool:
    """A deadlock or serialisation failure (SQLSTATE class 40), or SQLite's busy database."""
    cause: BaseException | None = error
    while cause is not None:
        state = getattr(cause, "sqlstate", None) or ""
        if state.startswith("40") or (
            isinstance(cause, OperationalError) and "locked" in str(cause)
        ):
            return True
        cause = cause.__cause__
    return False


def _raise_if_uncertain(error: BaseException) -> None:
    """A connection lost at the commit: it may have happened, so nothing may be saved over it.

    The saga rests until its lease runs out; whoever takes it then reads what was committed.
    """
    if isinstance(error, OperationalError | InterfaceError) and not _serialisation_failure(error):
        raise error
