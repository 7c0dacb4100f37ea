"""The stored saga: one row that holds its fields, where it stands and what happened to it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connections, transaction

from monolift.kernel import DomainError, Saga, SagaEntry, SagaRun, SagaStatus, clock
from monolift.kernel.ids import uuid7_text
from monolift.kernel.saga import declared_sagas, saga_class
from monolift.observe.logs import logger
from monolift.observe.trace import carried
from monolift.registry.settings import setting
from monolift.registry.sql import after, execute, fetch, moment, now, skip_locked
from monolift.registry.topology import modules_on
from monolift.sagas.snapshot import Snapshot

log = logger("monolift.sagas")

NEVER_DUE = datetime(9999, 1, 1, tzinfo=UTC)


class Intent(msgspec.Struct):
    """An effect that was begun and has no recorded result: it is finished before anything else."""

    step: str
    undo: bool = False


class Happened(msgspec.Struct, array_like=True):
    """A line of the saga's history."""

    at: str
    step: str
    what: str
    note: str = ""


class Refusal(msgspec.Struct):
    """The domain error that turned the saga back."""

    code: str
    fields: dict[str, Any]


class Progress(msgspec.Struct, omit_defaults=True):
    """Where a saga stands.

    `marks` tells per step: done, doubt, never, undone, kept, skipped, undo failed.
    """

    cursor: int = 0
    marks: dict[str, str] = msgspec.field(default_factory=dict)
    intent: Intent | None = None
    refusal: Refusal | None = None
    silent: int = 0
    """How often in a row nobody answered what there is no other way than."""
    history: list[Happened] = msgspec.field(default_factory=list)

    def log(self, step: str, what: str, note: str = "") -> None:
        """Add a line to the history."""
        at = clock.now().isoformat(timespec="milliseconds")
        self.history.append(Happened(at, step, what, note[:500]))


class LeaseLost(Exception):
    """Another worker has taken the saga over; nothing of this one's is saved."""


class AlreadyStarted(Exception):
    """A saga of this key exists."""


class Unreadable(LookupError):
    """A stored saga does not go with any class here; says which one to bring back."""


_SELECT = (
    "SELECT module, id, name, version, key, status, state, progress, failure, trace, attempts, "
    "token FROM monolift_saga s "
)
_FREE = "(s.lease_until IS NULL OR s.lease_until <= {now})"
# What has work to do is found from two sides, each by an index: what is due, and what has come for
# somebody. None of the many that wait for later is looked at.
_DUE = f"s.status IN ('running', 'undoing', 'waiting') AND s.due_at <= {{now}} AND {_FREE}"
_WAITING = f"s.status = 'waiting' AND {_FREE}"
_AWAITED = (
    "SELECT id FROM (SELECT (SELECT s.id FROM monolift_saga s WHERE s.module = a.module "
    # The name as an expression, or the planner may go by that, where it knows nothing yet.
    f"AND s.waits_for = a.matches AND s.name || '' = a.saga AND {_WAITING} LIMIT 1) AS id "
    "FROM monolift_arrival a) AS awaited WHERE id IS NOT NULL LIMIT 200"
)
_HAS_COME = (
    f"{_WAITING} AND EXISTS (SELECT 1 FROM monolift_arrival a WHERE a.module = s.module "
    "AND a.saga = s.name AND a.matches = s.waits_for)"
)


@dataclass(kw_only=True)
class Record:
    """One saga in memory, as last read or saved."""

    alias: str
    module: str
    id: str
    saga: Saga
    status: SagaStatus = SagaStatus.RUNNING
    progress: Progress
    waits_for: str | None = None
    failure: str = ""
    trace: str = ""
    attempts: int = 0
    token: str = ""
    stored: bool = False
    sent: bool = False
    """Whether it may be stored, also when nobody knows: the statement was given to the database."""
    crashed: bool = False
    due: bool = True

    @property
    def tried(self) -> bool:
        """Whether what it does now may have been begun before."""
        return self.attempts > 0 or self.progress.silent > 0 or self.crashed

    @classmethod
    def new(cls, alias: str, saga: Saga) -> "Record":
        """A saga that is not stored yet, held by this worker."""
        return cls(
            alias=alias,
            module=saga.saga_owner,
            id=uuid7_text(),
            saga=saga,
            progress=Progress(),
            trace=carried(),
            token=uuid7_text(),
        )

    @classmethod
    def _of(cls, alias: str, row: tuple[Any, ...]) -> "Record":
        module, identifier, name, version, _, status, state, progress, *rest = row
        failure, trace, attempts, token = rest
        saga = saga_class(name, version)
        if saga is None:
            raise Unreadable(_not_installed(name, version))
        try:
            fields = msgspec.json.decode(state, type=saga)
            known = msgspec.json.decode(progress, type=Progress)
        except msgspec.DecodeError as error:
            raise Unreadable(
                f"What {name} version {version} has stored does not fit its class here: {error}. "
                "Give a class whose fields changed a new version, and keep the old one until its "
                "last saga has ended."
            ) from None
        gone = known.marks.keys() - {step.name for step in saga.saga_steps}
        if gone or known.cursor > len(saga.saga_steps):
            raise Unreadable(
                f"{name} version {version} has done {', '.join(sorted(gone)) or 'more steps'}, "
                "which its class here does not have. Give a class whose steps changed a new "
                "version, and keep the old one until its last saga has ended."
            )
        return cls(
            alias=alias,
            module=module,
            id=identifier,
            saga=fields,
            status=SagaStatus(status),
            progress=known,
            failure=failure,
            trace=trace,
            attempts=attempts,
            token=token,
            stored=True,
            sent=True,
        )

    @classmethod
    def find(cls, alias: str, saga: type[Saga], *, key: str) -> "Record | None":
        """The saga of a key; None when there is none."""
        rows = fetch(
            alias,
            _SELECT + "WHERE module = %s AND name = %s AND key = %s",
            (saga.saga_owner, saga.saga_name, key),
        )
        return cls._of(alias, rows[0]) if rows else None

    @classmethod
    def get(cls, alias: str, identifier: str) -> "Record | None":
        """The saga of an id; None when there is none."""
        rows = fetch(alias, _SELECT + "WHERE id = %s", (identifier,))
        return cls._of(alias, rows[0]) if rows else None

    @classmethod
    def claim(cls, alias: str, *, identifier: str | None = None) -> "Record | None":
        """Take a saga that has work to do, in a commit of its own; None when there is none.

        One whose worker died is marked as crashed and its attempt is counted. One that cannot be
        read is passed over, with the reason as its failure.
        """
        while (claimed := cls._claim_row(alias, identifier)) is not None:
            row, crashed, reached = claimed
            try:
                record = cls._of(alias, row)
            except Unreadable as error:
                _pass_over(alias, module=row[0], identifier=row[1], reason=str(error))
                continue
            record.crashed = crashed
            record.due = reached
            return record
        return None

    @classmethod
    def _claim_row(
        cls, alias: str, identifier: str | None
    ) -> tuple[tuple[Any, ...], bool, bool] | None:
        mine = set(modules_on(alias))
        kinds = [
            (saga.saga_owner, saga.saga_name, saga.saga_version)
            for saga in declared_sagas()
            if saga.saga_owner in mine
        ]
        if not kinds:
            return None
        # A process of an older release leaves alone what only the newer one knows, and everybody
        # what belongs to a module that is elsewhere.
        known = ", ".join(["(%s, %s, %s)"] * len(kinds))
        these = f" AND (s.module, s.name, s.version) IN (VALUES {known})"
        which: list[Any] = [value for kind in kinds for value in kind]
        if identifier:
            these += " AND s.id = %s"
            which.append(identifier)
        at = now(alias)
        some = f"FROM monolift_saga s WHERE {_DUE.format(now=at)}{these}"
        # By an order, or the planner may go by the key of all that were ever kept.
        if fetch(alias, f"SELECT 1 {some} ORDER BY s.due_at LIMIT 1", which):
            taken = cls._take(alias, some, which)
            if taken is not None:
                return taken
        if awaited := [one for (one,) in fetch(alias, _AWAITED.format(now=at))]:
            marks = ", ".join(["%s"] * len(awaited))
            some = f"FROM monolift_saga s WHERE {_HAS_COME.format(now=at)}{these}"
            return cls._take(alias, f"{some} AND s.id IN ({marks})", [*which, *awaited])
        return None

    @classmethod
    def _take(
        cls, alias: str, some: str, which: list[Any]
    ) -> tuple[tuple[Any, ...], bool, bool] | None:
        with transaction.atomic(using=alias):
            rows = fetch(
                alias,
                "SELECT s.module, s.id, "
                "CASE WHEN s.lease_until IS NULL OR s.token = '' THEN 0 ELSE 1 END, "
                f"CASE WHEN s.due_at <= {now(alias)} THEN 1 ELSE 0 END "
                f"{some} ORDER BY s.due_at LIMIT 1 {skip_locked(alias)}",
                which,
            )
            if not rows:
                return None
            module, claimed, crashed, reached = rows[0]
            execute(
                alias,
                "UPDATE monolift_saga SET token = %s, attempts = attempts + %s, "
                f"lease_until = {after(alias, setting('LEASE'))} WHERE module = %s AND id = %s",
                (uuid7_text(), crashed, module, claimed),
            )
            row = fetch(alias, _SELECT + "WHERE module = %s AND id = %s", (module, claimed))[0]
        return row, bool(crashed), bool(reached)

    def insert(self, *, held: bool) -> None:
        """Store a new saga: held by this worker, or for any; AlreadyStarted if its key is known."""
        lease = after(self.alias, setting("LEASE")) if held else "NULL"
        moment_ = now(self.alias)
        connections[self.alias].ensure_connection()
        self.sent = True
        inserted = execute(
            self.alias,
            "INSERT INTO monolift_saga (module, id, name, version, key, status, state, progress, "
            "failure, trace, attempts, token, lease_until, due_at, created_at, updated_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, "
            f"{lease}, {moment_}, {moment_}, {moment_}) ON CONFLICT DO NOTHING",
            (
                self.module,
                self.id,
                self.saga.saga_name,
                self.saga.saga_version,
                self.saga.key,
                self.status,
                self._state(),
                self._progress(),
                self.failure,
                self.trace,
                self.attempts,
                self.token,
            ),
        )
        if not inserted:
            raise AlreadyStarted(self.saga.key)
        self.stored = True

    def save(self, *, release: bool = False, delay: float = 0.0, due: Any = None) -> None:
        """Write everything down; LeaseLost when another worker holds the saga by now.

        `release` gives it back, to be gone on with after `delay` seconds, or at the time `due`.
        """
        if not self.stored:
            self.insert(held=not release)
            return
        lease = "NULL" if release else after(self.alias, setting("LEASE"))
        parameters: list[Any] = []
        due_at = after(self.alias, delay)
        if due is not None:
            due_at = "%s"
            parameters.append(moment(self.alias, due))
        changed = execute(
            self.alias,
            f"UPDATE monolift_saga SET lease_until = {lease}, due_at = {due_at}, "
            f"updated_at = {now(self.alias)}, status = %s, state = %s, progress = %s, "
            "waits_for = %s, failure = %s, attempts = %s "
            "WHERE module = %s AND id = %s AND token = %s",
            (
                *parameters,
                self.status,
                self._state(),
                self._progress(),
                self.waits_for,
                self.failure,
                self.attempts,
                self.module,
                self.id,
                self.token,
            ),
        )
        if not changed:
            raise LeaseLost(self.id)

    def snapshot(self) -> Snapshot:
        """What memory holds now, to go back to when a transaction is rolled back."""
        return Snapshot(
            self._state(), self._progress(), self.status, self.attempts, self.failure, self.stored
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Put memory back; the fields are decoded anew, so nothing done meanwhile remains."""
        self.saga = msgspec.json.decode(snapshot.state, type=type(self.saga))
        self.progress = msgspec.json.decode(snapshot.progress, type=Progress)
        self.status = snapshot.status
        self.attempts = snapshot.attempts
        self.failure = snapshot.failure
        self.stored = snapshot.stored

    @property
    def answered(self) -> bool:
        """True once the answering step is done; without one, when the saga is."""
        if self.status is SagaStatus.DONE:
            return True
        marks = self.progress.marks
        return any(step.answer and marks.get(step.name) == "done" for step in self.saga.saga_steps)

    def view(self) -> SagaRun[Any]:
        """What others may know of it."""
        return SagaRun(
            id=UUID(self.id),
            key=self.saga.key,
            status=self.status,
            state=self.saga,
            answered=self.answered,
            error=self._error(),
            failure=self.failure,
            history=tuple(
                SagaEntry(datetime.fromisoformat(line.at), line.step, line.what, line.note)
                for line in self.progress.history
            ),
        )

    def _error(self) -> DomainError | None:
        refusal = self.progress.refusal
        return DomainError.of_code(refusal.code, refusal.fields) if refusal else None

    def _state(self) -> str:
        return msgspec.json.encode(self.saga).decode()

    def _progress(self) -> str:
        return msgspec.json.encode(self.progress).decode()


_AGAIN = 60.0
"""Seconds until somebody looks again at a saga that could not be read."""


def _not_installed(name: str, version: int) -> str:
    return (
        f"{name} version {version} is not installed here. Bring its class back: that of a version "
        "is kept until its last saga has ended."
    )


def _pass_over(alias: str, *, module: str, identifier: str, reason: str) -> None:
    """Leave a saga as it is for a while: no attempt is counted, and it goes on by itself."""
    execute(
        alias,
        f"UPDATE monolift_saga SET failure = %s, token = '', lease_until = {after(alias, _AGAIN)} "
        "WHERE module = %s AND id = %s",
        (reason, module, identifier),
    )
    log.error("saga cannot be read", saga_id=identifier, failure=reason)


def tell_unknown(alias: str) -> None:
    """Say of each saga that should go on, and whose class is not here, which class is missing."""
    kinds = {(saga.saga_name, saga.saga_version) for saga in declared_sagas()}
    open_ones = "FROM monolift_saga WHERE status IN ('running', 'undoing', 'waiting')"
    for module, name, version in fetch(alias, f"SELECT DISTINCT module, name, version {open_ones}"):
        if (name, version) in kinds or module not in modules_on(alias):
            continue
        reason = _not_installed(name, version)
        told = execute(
            alias,
            "UPDATE monolift_saga SET failure = %s WHERE module = %s AND name = %s AND "
            "version = %s AND status IN ('running', 'undoing', 'waiting') AND failure <> %s",
            (reason, module, name, version, reason),
        )
        if told:
            log.error("saga cannot go on", saga=name, version=version, count=told, failure=reason)
