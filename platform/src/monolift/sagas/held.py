"""A saga in the hands of this worker: its record, and every way of writing it down."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from monolift.kernel import SagaStatus, Step, Unavailable
from monolift.kernel.clock import monotonic
from monolift.observe.logs import logger
from monolift.registry.transactions import GroupAtomic
from monolift.resilience.backoff import delay
from monolift.sagas.plan import group_at
from monolift.sagas.record import Intent, Progress, Record
from monolift.sagas.snapshot import Snapshot
from monolift.sagas.steps import FusedGroup

log = logger("monolift.sagas")


class Held:
    """Holds one saga for as long as this worker runs it."""

    def __init__(self, record: Record, *, deadline: float | None = None) -> None:
        self.record = record
        self.steps: tuple[Step[Any], ...] = record.saga.saga_steps
        self.deadline = deadline
        self.alone = record.crashed
        """Run the next step unfused: something may be wrong with it."""
        self.released = False
        self.answered = False
        """Whoever runs it inline has the answer: a worker does the rest."""

    @property
    def progress(self) -> Progress:
        """Where the saga stands."""
        return self.record.progress

    @property
    def upcoming(self) -> Step[Any] | None:
        """The next step forward; None at the end."""
        cursor = self.progress.cursor
        return self.steps[cursor] if cursor < len(self.steps) else None

    @property
    def group(self) -> tuple[Step[Any], ...]:
        """The steps from the next one on that may share a transaction; empty if none."""
        return group_at(type(self.record.saga), self.progress.cursor)

    @contextmanager
    def transaction(self) -> Iterator[FusedGroup]:
        """A transaction that steps and the saga's save share."""
        with GroupAtomic(using=self.record.alias, savepoint=True, durable=False):
            yield FusedGroup(self.record.alias)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to what was before a transaction that was rolled back, or a call that failed."""
        self.record.restore(snapshot)
        self.answered = False

    def done(self, step: Step[Any], how: str) -> None:
        """Mark a step as done and move on behind it; nothing is written yet."""
        self.progress.marks[step.name] = "done"
        self.progress.cursor = self.steps.index(step) + 1
        self.progress.intent = None
        self.progress.log(step.name, how)
        self.progress.silent = 0
        self.record.attempts = 0
        self.record.failure = ""
        self.answered = step.answer and self.deadline is not None

    def intend(self, step: Step[Any], *, undo: bool = False) -> None:
        """Note that an effect begins; nothing is written yet."""
        self.progress.intent = Intent(step.name, undo)

    def mark_end(self, status: SagaStatus) -> None:
        """Note how the saga ends; nothing is written yet."""
        self.record.status = status
        self.progress.log("", status.value)

    def end(self, status: SagaStatus) -> None:
        """End the saga in a commit of its own."""
        self.mark_end(status)
        if status is SagaStatus.STUCK:
            log.error(
                "saga is stuck",
                saga=self.record.saga.saga_name,
                saga_id=self.record.id,
                failure=self.record.failure,
            )
        self.save()

    def write(self) -> None:
        """Save inside an open `transaction`."""
        self.record.save(release=self.answered or self.record.status.ended)

    def save(self, *, release: bool = False, wait: float = 0.0, due: Any = None) -> None:
        """Save in its own commit; `release` lets others go on after `wait` seconds, or at `due`."""
        self.released = release or self.answered or self.record.status.ended
        self.record.save(release=self.released, delay=wait, due=due)
        self.after_commit()

    def after_commit(self) -> None:
        """What a commit settles: nothing is suspect any more, and an ended saga is let go."""
        self.alone = False
        self.record.crashed = False
        if self.answered or self.record.status.ended:
            self.released = True

    def step_named(self, name: str) -> Step[Any]:
        """The step of that name."""
        return next(step for step in self.steps if step.name == name)

    def current_step(self) -> str:
        """The name of what is being done, for the history."""
        if self.progress.intent is not None:
            return self.progress.intent.step
        return self.upcoming.name if self.upcoming else ""

    def past_pivot(self) -> bool:
        """True once there is no way back."""
        marks = self.progress.marks
        return any(step.pivot and marks.get(step.name) == "done" for step in self.steps)

    def pause(self) -> None:
        """Wait out the backoff here when there is time, else let a worker go on later."""
        wait = delay(attempt=self.record.attempts + self.progress.silent)
        self.alone = True
        if self.deadline is not None and monotonic() + wait < self.deadline:
            self.save()
            time.sleep(wait)
        else:
            self.save(release=True, wait=wait)

    def await_answer(self, step: Step[Any], error: Unavailable) -> None:
        """Repeat until somebody answers, where there is no other way: that is no attempt.

        An error in the log when it has been as often as others are tried, a line of the history
        each time it has been twice as often as at the last one.
        """
        self.progress.silent += 1
        count = self.progress.silent
        self.record.failure = f"{step.name}: {error}"
        if count & (count - 1) == 0:
            self.progress.log(step.name, "not answered", f"time {count}: {error}")
        report = log.error if count == self.record.saga.saga_attempts else log.warning
        report(
            "saga is not answered",
            saga=self.record.saga.saga_name,
            saga_id=self.record.id,
            step=step.name,
            times=count,
            reason=str(error),
        )
        self.pause()

    def give_up(self) -> None:
        """After the last attempt: back before the pivot, *stuck* after it."""
        if self.past_pivot():
            self.end(SagaStatus.STUCK)
        else:
            self.turn_back()

    def turn_back(self) -> None:
        """Begin to undo; at once undone when there is nothing to undo."""
        self.record.status = SagaStatus.UNDOING
        self.record.attempts = 0
        if not self.record.stored or self.nothing_to_undo():
            self.end(SagaStatus.UNDONE)
        else:
            self.save()

    def nothing_to_undo(self) -> bool:
        """True when no effect is open or done."""
        return self.progress.intent is None and self.next_undo() is None

    def next_undo(self) -> Step[Any] | None:
        """The last step that is done or in doubt and can be undone."""
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

    def cannot_undo(self, step: Step[Any]) -> None:
        """Leave a step marked for a human, and let the others be undone."""
        self.progress.marks[step.name] = "undo failed"
        self.progress.intent = None
        self.progress.silent = 0
        self.record.attempts = 0
        self.save()
