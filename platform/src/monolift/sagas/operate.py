"""The operator's verbs for a saga that is stuck, or waits for somebody who does not answer."""

from monolift.events.wake import wake
from monolift.kernel import SagaStatus
from monolift.registry.sql import execute, now
from monolift.sagas.record import Record


class NotStuck(Exception):
    """The saga is not stuck and waits for no answer, so there is nothing to decide."""


def retry(alias: str, identifier: str) -> Record:
    """Try again where it got stuck, with its attempts counted anew."""
    record = _stuck(alias, identifier)
    marks = record.progress.marks
    backward = [name for name, mark in marks.items() if mark == "undo failed"]
    for name in backward:
        marks[name] = "done"
    record.status = SagaStatus.UNDOING if backward or _settling(record) else SagaStatus.RUNNING
    record.progress.log("", "retried by an operator")
    return _resume(record)


def skip(alias: str, identifier: str) -> Record:
    """Take the step (or the undo) that got stuck as done by other means, and go on after it."""
    record = _stuck(alias, identifier)
    marks = record.progress.marks
    backward = [name for name, mark in marks.items() if mark == "undo failed"]
    intent = record.progress.intent
    record.progress.intent = None
    if backward:
        for name in backward:
            marks[name] = "skipped"
            record.progress.log(name, "undo skipped by an operator")
        record.status = SagaStatus.UNDOING
    elif intent is not None and _settling(record):
        names = [step.name for step in record.saga.saga_steps]
        pivot = record.saga.saga_steps[names.index(intent.step)].pivot
        marks[intent.step] = "done" if pivot else "skipped"
        record.progress.cursor = names.index(intent.step) + 1
        record.progress.log(intent.step, "settling skipped by an operator")
        record.status = SagaStatus.RUNNING if pivot else SagaStatus.UNDOING
    else:
        step = record.saga.saga_steps[record.progress.cursor]
        marks[step.name] = "skipped"
        record.progress.cursor += 1
        record.progress.log(step.name, "skipped by an operator")
        record.status = SagaStatus.RUNNING
    return _resume(record)


def abandon(alias: str, identifier: str) -> Record:
    """Leave it as it is, for good."""
    record = _stuck(alias, identifier)
    record.status = SagaStatus.ABANDONED
    record.progress.log("", "abandoned by an operator")
    record.save(release=True)
    return record


def _stuck(alias: str, identifier: str) -> Record:
    """The saga, held by the operator: one that is stuck, or that waits for who does not answer."""
    record = Record.get(alias, identifier)
    if record is None:
        raise NotStuck(f"There is no saga {identifier!r} on {alias!r}.")
    rests = "status = 'stuck'"
    if record.progress.silent:
        rests += f" OR lease_until IS NULL OR lease_until <= {now(alias)}"
    taken = execute(
        alias,
        f"UPDATE monolift_saga SET token = %s WHERE id = %s AND ({rests}) AND token = %s",
        (f"operator-{record.token}"[:80], identifier, record.token),
    )
    if not taken:
        raise NotStuck(f"Saga {identifier} is {record.status}, not stuck.")
    record.token = f"operator-{record.token}"[:80]
    _stop_waiting(record)
    return record


def _stop_waiting(record: Record) -> None:
    """An undo that was not answered is one that failed."""
    intent = record.progress.intent
    if record.progress.silent and intent is not None and intent.undo:
        record.progress.marks[intent.step] = "undo failed"
        record.progress.intent = None
    record.progress.silent = 0


def _settling(record: Record) -> bool:
    return any(line.what == "not settled" for line in record.progress.history[-2:])


def _resume(record: Record) -> Record:
    record.attempts = 0
    record.save(release=True)
    wake(record.alias)
    return record
