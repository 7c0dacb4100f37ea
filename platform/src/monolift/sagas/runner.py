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

from django.db import DatabaseError

from monolift.kernel import SagaStatus
from monolift.kernel.clock import monotonic
from monolift.observe.logs import logger
from monolift.registry.fence import refused_by_fence
from monolift.registry.topology import renewed, topology
from monolift.sagas.backward import Backward
from monolift.sagas.forward import Forward
from monolift.sagas.held import Held
from monolift.sagas.record import AlreadyStarted, LeaseLost, Record
from monolift.sagas.steps import time_left

log = logger("monolift.sagas")

_PATIENCE = 5.0
"""Seconds that a worker waits to learn where a saga has moved."""
_PAUSE = 0.02


class _HomeMoved(Exception):
    """The saga's module has another database now."""


class Runner:
    """Runs one saga that this worker holds, until it ends, waits, or its time here is over."""

    def __init__(self, record: Record, *, deadline: float | None = None) -> None:
        self.held = Held(record, deadline=deadline)
        self.forward = Forward(self.held)
        self.backward = Backward(self.held)
        self._begun = record.snapshot()

    def run(self) -> None:
        """Go on as far as it goes. Raises LeaseLost, AlreadyStarted and lost connections only.

        A saga whose module moves meanwhile goes on at once where its row is now, if that is a
        database of this process. Else what refused it is raised: it goes on in another process.
        """
        while True:
            try:
                self._run()
                return
            except _HomeMoved:
                record = self._found()
            except DatabaseError as error:
                record = self._found() if refused_by_fence(error) else None
                if record is None:
                    raise
            if record is None:  # another process has it now
                raise LeaseLost(self.held.record.id)
            log.info("saga follows its module", saga_id=record.id, database=record.alias)
            self._take(record)

    def _take(self, record: Record) -> None:
        self.held = Held(record, deadline=self.held.deadline)
        self.forward = Forward(self.held)
        self.backward = Backward(self.held)

    def _found(self) -> Record | None:
        """The record where it is now; None when that is not known in time, or not here."""
        held = self.held.record
        until = self.held.deadline or monotonic() + _PATIENCE
        while topology().alias(held.module) == held.alias and topology().runs(held.module):
            if monotonic() >= until:
                return None
            time.sleep(_PAUSE)
            renewed()
        if not topology().runs(held.module):
            return None
        alias = topology().alias(held.module)
        found = Record.get(alias, held.id)
        if found is None:
            held.restore(self._begun)
            held.alias = alias
            return held
        if found.token != held.token:
            raise AlreadyStarted(held.saga.key)  # somebody there has taken it up: watch it
        return found

    def _run(self) -> None:
        held = self.held
        if held.record.crashed:
            self._count_crash()
        while not held.released:
            if topology().alias(held.record.module) != held.record.alias:
                raise _HomeMoved
            if not time_left(held.deadline):
                held.save(release=True)
                return
            match held.record.status:
                case SagaStatus.RUNNING | SagaStatus.WAITING:
                    self.forward.go()
                case SagaStatus.UNDOING:
                    self.backward.go()
                case _:
                    return

    def _count_crash(self) -> None:
        """An attempt that ended its worker counts, so that what kills every worker is given up."""
        self.held.progress.log(
            self.held.current_step(), "crashed", f"attempt {self.held.record.attempts}"
        )
        if self.held.record.attempts < self.held.record.saga.saga_attempts:
            return
        self.held.record.failure = f"{self.held.current_step()}: its worker died while it ran"
        if self.held.record.status is SagaStatus.UNDOING:
            step = self.held.next_undo()
            if step is not None and not (
                self.held.progress.intent and not self.held.progress.intent.undo
            ):
                self.held.cannot_undo(step)
        else:
            self.held.give_up()
