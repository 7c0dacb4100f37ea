"""The cut-over: writers are held up, what they wrote arrives, and one commit moves the truth.

The lock is a part of the transaction that makes the commit. So whoever loses the lock, by a crash
or because the server ended a session that stood still, has lost the commit with it; and there is
nothing to unlock. What has to be committed while it is held goes by other sessions.

Where the truth row is in the source's database, closing the source and moving the truth is one
commit. Where it is not (on the way back), the source is closed first: for a moment nobody may
write, which is safe, and the other order would not be.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connections, transaction
from psycopg import errors

from monolift.kernel.clock import monotonic
from monolift.lift.movers.postgresql.feed import Feed
from monolift.lift.movers.postgresql.frames import Frames
from monolift.lift.moving import Evidence, GaveUp, Move
from monolift.lift.sealing.postgresql import rights
from monolift.lift.sealing.postgresql.seal import run
from monolift.lift.sealing.postgresql.sides import Session, Side
from monolift.lift.sealing.postgresql.tables import literal, own_tables, owned_sequences, quoted
from monolift.lift.sealing.postgresql.tries import again, patience
from monolift.registry.places import DEFAULT_ALIAS
from monolift.truth import row
from monolift.truth.document import Document
from monolift.truth.follow import CHANNEL

GAP = 1000
"""Numbers that are left out: some were handed out at the source and not used yet."""

type Reach = Callable[[str], None]
"""Told the name of each step as it is about to be done."""


def cut_name(module: str) -> str:
    """How the sessions of a cut-over are called: whoever cleans up after a crash ends them."""
    return f"monolift cut {module}"


class TakenBack(Exception):
    """The end of a rehearsal."""


class CutOver:
    """One attempt at a time, with the sessions that it needs opened before."""

    def __init__(self, move: Move, source: Side, target: Side, *, reach: Reach) -> None:
        self.move = move
        self.source = source
        self.target = target
        self.feed = Feed(source, target)
        self.back = Feed(target, source)
        self.tables = own_tables(move.module)
        self.reach = reach
        self.timings: dict[str, float] = {}
        self.frames: Frames | None = None
        self._begun = 0.0
        self._last = 0.0
        self._turned = False
        with source.connected() as session:
            self._numbers = owned_sequences(session, self.tables)
        with target.connected() as session:
            self._numbers_there = owned_sequences(session, self.tables)

    def run(self, change: Callable[[], Document] | None) -> Document | None:
        """Until it has its locks. Without `change`, all is taken back before the commit.

        Raises GaveUp, or what happened; whether the truth was moved, the truth row says.
        """
        with ExitStack() as stack:
            named = cut_name(self.move.module)
            self._marking = stack.enter_context(self.source.connected(application_name=named))
            self._there = stack.enter_context(self.target.connected(application_name=named))
            self._admit()
            self.frames = Frames(self.source, self.target)
            try:
                return again(
                    lambda: self._attempt(change), what=f"The cut-over of {self.move.module}"
                )
            except BaseException:
                self.frames.close()
                self.frames = None
                raise

    def _admit(self) -> None:
        """Before anybody waits: what takes locks to open the target. Its fence is closed still."""

        def switched() -> None:
            with self._there.transaction():
                self._there.execute(patience())
                run(self._there, rights.switch(self.tables, on=False))

        again(switched, what=f"Preparing {self.target.alias!r} for {self.move.module}")

    def _attempt(self, change: Callable[[], Document] | None) -> Document | None:
        self.reach("F1")
        self._begun = self._last = monotonic()
        try:
            document = self._fenced(change)
        except TakenBack:
            document = None
        except (errors.QueryCanceled, errors.IdleInTransactionSessionTimeout) as error:
            raise GaveUp(self._too_long()) from error
        except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
            if not self._turned:
                raise
            raise GaveUp(self._too_long()) from error
        self._timed("commit")
        self.timings["held"] = monotonic() - self._begun
        return document

    def _fenced(self, change: Callable[[], Document] | None) -> Document | None:
        """F1 to F7."""
        with self.source.transaction() as held:
            self._lock(held)
            self._catch_up()
            self._number()
            self.reach("F4")
            if self.frames is not None:
                self.frames.take()
            self._timed("frames")
            self._turn()
            if self.source.is_control or change is None:
                return self._close_and_move(held, change)
            self.reach("F7a")
            epoch = row.epoch(connections[DEFAULT_ALIAS]) + 1
            self._within()
            run(held, self._closing(epoch))
        self.reach("F7b")
        return self._open_and_move(change)

    def _lock(self, held: Session) -> None:
        """F1: nobody enters the fence any more, and all who are in it are done."""
        seconds = int(self.move.budget * 1000)
        held.execute(
            f"{patience()}; SET LOCAL application_name = "
            f"{literal(cut_name(self.move.module))}; SET LOCAL statement_timeout = '{seconds}ms'; "
            f"SET LOCAL idle_in_transaction_session_timeout = '{2 * seconds}ms'; "
            "SELECT set_config('synchronous_commit', 'on', true); "
            f"SELECT pg_advisory_xact_lock({rights.lock_key(self.move.module)})"
        )
        if self.tables:
            self._stop_vacuum()
            held.execute(rights.lock_tables(self.tables))
        self._timed("lock")

    def _stop_vacuum(self) -> None:
        """Autovacuum holds the lock that triggers need; it gives way only after a second."""
        self._marking.execute(
            "SELECT pg_cancel_backend(a.pid) FROM pg_stat_activity a JOIN pg_locks l USING (pid) "
            "WHERE a.backend_type = 'autovacuum worker' AND l.locktype = 'relation' "
            "AND l.relation = ANY(%s::regclass[])",
            ([quoted(table) for table in self.tables],),
        )

    def _catch_up(self) -> None:
        """F2: what was committed before is at the target, or there is no cut-over."""
        self.reach("F2")
        mark = self.feed.mark(self._marking)
        if not self.feed.arrived(self._there, mark, within=self._left()):
            raise GaveUp(self._too_long())
        self._timed("catch_up")

    def _number(self) -> None:
        """F3: the target's sequences go on beyond all that was handed out here."""
        self.reach("F3")
        there = {(table, column): name for table, column, name in self._numbers_there}
        for table, column, name in self._numbers:
            for (last,) in self._marking.execute(f"SELECT last_value FROM {name}").fetchall():
                self._there.execute(
                    "SELECT setval(%s::regclass, GREATEST(%s, (SELECT last_value FROM "
                    f"{there[table, column]})))",
                    (there[table, column], last + GAP),
                )
        self._timed("sequences")

    def _turn(self) -> None:
        """F5: nothing is applied at the target any more, and what was does not travel back."""
        self.reach("F5")
        self._within()
        self._turned = True
        self.feed.disable(self._there)
        self.back.advance(self._there)
        self._timed("slot")

    def _close_and_move(
        self, held: Session, change: Callable[[], Document] | None
    ) -> Document | None:
        """F6, F7: the target is open for an epoch that nobody knows; then the one commit."""
        self.reach("F6")
        connection: Any = connections[DEFAULT_ALIAS]
        epoch = row.epoch(connection) + 1
        try:
            with self._there.transaction():
                run(self._there, self._opening(epoch))
                if change is None:
                    raise TakenBack
        except TakenBack:
            run(held, self._closing(epoch))
            raise
        self._timed("open")
        self.reach("F7")
        run(held, self._closing(epoch))
        document = change()
        if document.epoch > epoch:
            run(held, [rights.set_fence(self.move.module, epoch=document.epoch, is_open=False)])
        held.execute(f"NOTIFY {CHANNEL}")
        self._within()
        self.reach("commit")
        return document

    def _open_and_move(self, change: Callable[[], Document]) -> Document:
        """F7 where the truth is not in the source's database, which is closed by now."""

        def opened() -> Document:
            connection: Any = connections[DEFAULT_ALIAS]
            if not self.target.is_control:
                epoch = row.epoch(connection) + 1
                with self._there.transaction():
                    run(self._there, self._opening(epoch))
            with transaction.atomic(using=DEFAULT_ALIAS):
                document = change()
                driver = connection.connection
                if self.target.is_control:
                    driver.execute(patience())
                    run(driver, self._opening(document.epoch))
                driver.execute(f"NOTIFY {CHANNEL}")
            return document

        return again(opened, what=f"Opening {self.target.alias!r} for {self.move.module}")

    def _closing(self, epoch: int) -> list[str]:
        names = [name for _, _, name in self._numbers]
        return [
            *rights.close_statements(self.source.role, self.tables, names),
            rights.set_fence(self.move.module, epoch=epoch, is_open=False),
        ]

    def _opening(self, epoch: int) -> list[str]:
        names = [name for _, _, name in self._numbers_there]
        return [
            *rights.grant(self.target.role, self.tables, names),
            *rights.end_leases(self.move.module, self.target.role),
            rights.set_fence(self.move.module, epoch=epoch, is_open=True),
        ]

    def _left(self) -> float:
        return max(self.move.budget - (monotonic() - self._begun), 0.0)

    def _within(self) -> None:
        if self._left() <= 0:
            raise GaveUp(self._too_long())

    def _too_long(self) -> str:
        spent = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in
                          self.timings.items())  # fmt: skip
        return (
            f"The cut-over of {self.move.module} would have held writers up for longer than "
            f"{self.move.budget * 1000:.0f} ms ({spent or 'nothing was done yet'}): all is as it "
            "was. Try again when the databases have less to do, or give a larger budget."
        )

    def _timed(self, name: str) -> None:
        now = monotonic()
        self.timings[name] = now - self._last
        self._last = now


@contextmanager
def fence_held(side: Side, tables: list[str]) -> Iterator[Session]:
    """The fence of the side that owns the module, for statements that must meet no writer."""
    with side.transaction() as session:
        session.execute(
            f"{patience()}; SELECT pg_advisory_xact_lock({rights.lock_key(side.module)})"
        )
        if tables:
            session.execute(rights.lock_tables(tables))
        yield session


def evidence(timings: dict[str, float]) -> Evidence:
    """As it is kept."""
    return {name: round(seconds, 4) for name, seconds in timings.items()}


def pause() -> None:
    """Between two looks."""
    time.sleep(0.05)
