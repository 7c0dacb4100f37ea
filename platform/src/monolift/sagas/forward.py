"""Forward: groups, steps that run alone, awaited events, and what a failure leads to."""

from collections.abc import Sequence
from typing import Any

from monolift.kernel import DomainError, SagaStatus, Step, Unavailable
from monolift.observe.logs import logger
from monolift.registry.troubles import in_the_way
from monolift.sagas import arrivals
from monolift.sagas.faults import (
    is_external,
    raise_if_moved,
    raise_if_no_attempt,
    raise_if_uncertain,
)
from monolift.sagas.held import Held
from monolift.sagas.record import NEVER_DUE, AlreadyStarted, LeaseLost, Refusal
from monolift.sagas.steps import act

log = logger("monolift.sagas")

_DEADLOCK_TRIES = 3


class Forward:
    """Takes a saga on towards its end."""

    def __init__(self, held: Held) -> None:
        self.held = held

    def go(self) -> None:
        """Run what comes next: an open intent, a group, one step, or the end."""
        held = self.held
        intent, step = held.progress.intent, held.upcoming
        if intent is not None:
            self._call_alone(held.step_named(intent.step))
        elif step is None:
            held.end(SagaStatus.DONE)
        elif step.awaits:
            self._await(step)
        elif self._may_fuse() and (group := held.group):
            self._group(group)
        elif step.declared_calls:
            self._call_alone(step)
        else:
            self._own_alone(step)

    def _may_fuse(self) -> bool:
        return not self.held.alone and self.held.record.attempts == 0

    def _group(self, group: Sequence[Step[Any]]) -> None:
        """Run steps in one transaction; on any trouble split it at the step that failed."""
        before = self.held.record.snapshot()
        failed, error = self._try_group(group)
        if error is None:
            return
        self.held.restore(before)
        if failed == 0 and isinstance(error, DomainError) and self.held.record.attempts == 0:
            self._refused(group[0], error, external=False)
            return
        self.held.save()  # what was carried from an external step, or the saga itself
        if failed > 0:
            self._group(group[:failed])
        if self.held.progress.cursor == self.held.steps.index(group[failed]) and (
            self.held.record.status is SagaStatus.RUNNING
        ):
            self.held.alone = True

    def _try_group(self, group: Sequence[Step[Any]]) -> tuple[int, BaseException | None]:
        before = self.held.record.snapshot()
        for attempt in range(1, _DEADLOCK_TRIES + 1):
            reached = 0
            try:
                with self.held.transaction() as fused:
                    if not self.held.record.stored:
                        self.held.record.insert(held=True)
                    for step in group:
                        act(self.held.record, step, group=fused, deadline=self.held.deadline)
                        self.held.done(step, "fused" if len(group) > 1 else "done")
                        reached += 1
                    self._intend_next()
                    self.held.write()
                self.held.after_commit()
                return reached, None
            except (LeaseLost, AlreadyStarted):
                raise
            except Exception as error:
                raise_if_uncertain(error)
                self.held.restore(before)
                if not in_the_way(error) or attempt == _DEADLOCK_TRIES:
                    return min(reached, len(group) - 1), error
        raise AssertionError("unreachable")

    def _intend_next(self) -> None:
        """The next unfused step's intent rides in this commit, and so does the saga's end."""
        step = self.held.upcoming
        if step is None:
            self.held.mark_end(SagaStatus.DONE)
        elif step.declared_calls and not self.held.group:
            self.held.intend(step)

    def _own_alone(self, step: Step[Any]) -> None:
        """Its own tables and the saga in one commit."""
        before = self.held.record.snapshot()
        try:
            with self.held.transaction() as own:
                if not self.held.record.stored:
                    self.held.record.insert(held=True)
                act(self.held.record, step, group=own, deadline=self.held.deadline)
                self.held.done(step, "done")
                self._intend_next()
                self.held.write()
            self.held.after_commit()
        except (LeaseLost, AlreadyStarted):
            raise
        except DomainError as error:
            self.held.restore(before)
            self._refused(step, error, external=False)
        except Exception as error:
            raise_if_uncertain(error)
            self.held.restore(before)
            self._again_or_give_up(step, error)

    def _call_alone(self, step: Step[Any]) -> None:
        """Intent first, then the effect under the step's key; the result rides in the next save."""
        if self.held.progress.intent is None:
            self.held.intend(step)
            self.held.save()
        elif not self.held.record.stored:
            self.held.save()
        before = self.held.record.snapshot()
        try:
            act(self.held.record, step, group=None, deadline=self.held.deadline)
        except DomainError as error:
            self.held.restore(before)
            self._refused(step, error, external=is_external(step))
        except Exception as error:
            raise_if_no_attempt(error, alias=self.held.record.alias)
            self.held.restore(before)
            self._again_or_give_up(step, error)
        else:
            first = not self.held.record.tried
            self.held.done(step, "done")
            self._keep_result(carry=first)

    def _keep_result(self, *, carry: bool) -> None:
        """Save the result; after a first attempt it may ride in the commit that comes anyway.

        Carried once only: a crash in that commit counts as an attempt of the step before it.
        """
        before = self.held.upcoming
        self._intend_next()
        rides = before is not None and self.held.progress.intent is None and not before.awaits
        if self.held.answered or not (carry and rides):
            self.held.save()

    def _await(self, step: Step[Any]) -> None:
        """Take the event if it is there; else rest until it comes or its time is over."""
        matches = arrivals.match_of(step, self.held.record.saga)
        found = arrivals.find(self.held.record, step, matches)
        if found is None:
            if self.held.record.status is SagaStatus.WAITING and self.held.record.due:
                self.held.record.status = SagaStatus.RUNNING
                self.held.record.waits_for = None
                self._refused(step, None, external=False)
                return
            started = self.held.record.status is not SagaStatus.WAITING
            self.held.record.status = SagaStatus.WAITING
            self.held.record.waits_for = matches
            if started:
                self.held.progress.log(step.name, "waiting", matches)
            self._rest(step)
            return
        before = self.held.record.snapshot()
        try:
            with self.held.transaction() as own:
                self.held.record.status = SagaStatus.RUNNING
                self.held.record.waits_for = None
                act(self.held.record, step, found.event, group=own, deadline=self.held.deadline)
                arrivals.take(self.held.record, found)
                self.held.done(step, "arrived")
                self._intend_next()
                self.held.write()
            self.held.after_commit()
        except LeaseLost:
            raise
        except DomainError as error:
            self.held.restore(before)
            self.held.record.status = SagaStatus.RUNNING
            self._refused(step, error, external=False)
        except Exception as error:
            raise_if_uncertain(error)
            self.held.restore(before)
            self._again_or_give_up(step, error)

    def _rest(self, step: Step[Any]) -> None:
        if step.within is None:
            self.held.save(release=True, due=NEVER_DUE)
        else:
            self.held.save(release=True, wait=step.within.total_seconds())

    def _refused(self, step: Step[Any], error: DomainError | None, *, external: bool) -> None:
        """An expected refusal: turn back, or rest as stuck when there is no way back."""
        reason = f"{step.name}: {error.detail if error else 'its time to wait is over'}"
        self.held.record.failure = reason
        self.held.progress.log(step.name, "refused", reason)
        self.held.record.attempts = 0
        if self.held.past_pivot():
            self.held.end(SagaStatus.STUCK)
            return
        self.held.progress.intent = None
        # Nobody can roll an effect back that left the process: its undo runs as well.
        self.held.progress.marks[step.name] = "doubt" if external else "never"
        if error is not None:
            self.held.progress.refusal = Refusal(error.code, error.fields)
        self.held.turn_back()

    def _again_or_give_up(self, step: Step[Any], error: BaseException) -> None:
        """Repeat later under the same key, up to the saga's attempts, or until there is an answer.

        Where there is no way back, nobody has to decide anything while a callee is away.
        """
        raise_if_moved(error)
        if isinstance(error, Unavailable) and self.held.past_pivot():
            self.held.await_answer(step, error)
            return
        self.held.progress.silent = 0
        self.held.record.attempts += 1
        self.held.record.failure = f"{step.name}: {type(error).__name__}: {error}"
        self.held.progress.log(step.name, "failed", f"attempt {self.held.record.attempts}: {error}")
        log.warning(
            "saga step failed",
            saga=self.held.record.saga.saga_name,
            saga_id=self.held.record.id,
            step=step.name,
            attempt=self.held.record.attempts,
            exc_info=error,
        )
        if self.held.record.attempts < self.held.record.saga.saga_attempts:
            self.held.pause()
        else:
            self.held.give_up()
