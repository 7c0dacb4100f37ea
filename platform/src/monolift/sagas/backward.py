"""Backward: settle what is not known, then undo what was done, in reverse."""

from typing import Any

from monolift.kernel import (
    CallFailed,
    DomainError,
    KeyInFlight,
    NeverHappened,
    SagaStatus,
    Step,
    Unavailable,
)
from monolift.observe.logs import logger
from monolift.sagas.faults import (
    is_external,
    raise_if_moved,
    raise_if_no_attempt,
    raise_if_uncertain,
)
from monolift.sagas.held import Held
from monolift.sagas.record import LeaseLost, Refusal
from monolift.sagas.steps import act

log = logger("monolift.sagas")


class Backward:
    """Takes a saga back to where nothing of it is left."""

    def __init__(self, held: Held) -> None:
        self.held = held

    def go(self) -> None:
        intent = self.held.progress.intent
        if intent is not None and not intent.undo:
            self._settle(self.held.step_named(intent.step))
            return
        step = self.held.next_undo()
        if step is not None:
            self._undo(step)
            return
        stuck = "undo failed" in self.held.progress.marks.values()
        self.held.end(SagaStatus.STUCK if stuck else SagaStatus.UNDONE)

    def _settle(self, step: Step[Any]) -> None:
        """Learn what became of an effect without a result, or make sure that it never happens."""
        before = self.held.record.snapshot()
        try:
            act(self.held.record, step, group=None, settling=True, deadline=self.held.deadline)
        except NeverHappened:
            self.held.restore(before)
            self._settled(step, "never")
        except DomainError as error:
            self.held.restore(before)
            if self.held.progress.refusal is None:
                self.held.progress.refusal = Refusal(error.code, error.fields)
            self._settled(step, "doubt" if is_external(step) else "never")
        except (Unavailable, KeyInFlight, CallFailed) as error:
            raise_if_no_attempt(error, alias=self.held.record.alias)
            self.held.restore(before)
            self.held.record.attempts += 1
            self.held.progress.log(step.name, "not settled", str(error))
            self.held.record.failure = f"{step.name}: not settled: {error}"
            if self.held.record.attempts >= 2 * self.held.record.saga.saga_attempts:
                self.held.end(SagaStatus.STUCK)
            else:
                self.held.pause()
        except LeaseLost:
            raise
        except Exception as error:
            raise_if_moved(error)
            # The step's own code fails around its call. What it learned from the answer before that
            # is all its undo has to go by, so it stays.
            learned = self.held.record.saga
            self.held.restore(before)
            self.held.record.saga = learned
            if step.pivot:  # perhaps there is no way back any more: a human has to look
                self.held.record.failure = (
                    f"{step.name}: not settled: {type(error).__name__}: {error}"
                )
                self.held.progress.log(step.name, "not settled", str(error))
                self.held.end(SagaStatus.STUCK)
                return
            self.held.progress.log(step.name, "doubtful", str(error))
            self._settled(step, "doubt")
        else:
            if step.pivot:  # it did happen: there is no way back any more
                self.held.record.status = SagaStatus.RUNNING
                self.held.progress.refusal = None
            self._settled(step, "done")
            if step.pivot:
                self.held.progress.cursor = self.held.steps.index(step) + 1
                self.held.save()

    def _settled(self, step: Step[Any], mark: str) -> None:
        self.held.progress.marks[step.name] = mark
        self.held.progress.intent = None
        self.held.progress.log(step.name, "settled", mark)
        self.held.record.attempts = 0
        if not (step.pivot and mark == "done"):
            self.held.save()

    def _undo(self, step: Step[Any]) -> None:
        """Take one step back; a step that cannot be is left marked, and the others go on."""
        before = self.held.record.snapshot()
        try:
            if step.declared_calls:
                if self.held.progress.intent is None:
                    self.held.intend(step, undo=True)
                    self.held.save()
                    before = self.held.record.snapshot()
                act(self.held.record, step, group=None, undo=True, deadline=self.held.deadline)
                self._undone(step)
                self.held.save()
            else:
                with self.held.transaction() as own:
                    act(self.held.record, step, group=own, undo=True, deadline=self.held.deadline)
                    self._undone(step)
                    self.held.write()
                self.held.after_commit()
        except LeaseLost:
            raise
        except Exception as error:
            raise_if_no_attempt(error, alias=self.held.record.alias)
            raise_if_uncertain(error)
            self.held.restore(before)
            if isinstance(error, Unavailable) and step.declared_calls:
                self.held.await_answer(step, error)
                return
            self.held.progress.silent = 0
            self.held.record.attempts += 1
            self.held.progress.log(
                step.name, "undo failed", f"attempt {self.held.record.attempts}: {error}"
            )
            log.error(
                "saga undo failed",
                saga=self.held.record.saga.saga_name,
                saga_id=self.held.record.id,
                step=step.name,
                attempt=self.held.record.attempts,
                exc_info=error,
            )
            if self.held.record.attempts >= self.held.record.saga.saga_attempts:
                self.held.record.failure = f"undo of {step.name}: {type(error).__name__}: {error}"
                self.held.cannot_undo(step)
            else:
                self.held.pause()

    def _undone(self, step: Step[Any]) -> None:
        self.held.progress.marks[step.name] = "undone"
        self.held.progress.intent = None
        self.held.progress.log(step.name, "undone")
        self.held.progress.silent = 0
        self.held.record.attempts = 0
