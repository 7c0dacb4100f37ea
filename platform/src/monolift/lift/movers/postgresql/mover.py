"""The mover for PostgreSQL.

What it is in the middle of can be read from the two databases and the truth row, so it keeps
nothing anywhere else: each step looks first, and a new process goes on where an old one died.
"""

import time
from collections.abc import Callable

import psycopg
from django.db import DatabaseError, connections

from monolift.lift.movers.postgresql import cutover
from monolift.lift.movers.postgresql.cutover import (
    CutOver,
    Reach,
    cut_name,
    evidence,
    fence_held,
)
from monolift.lift.movers.postgresql.feed import Feed, drop_slots
from monolift.lift.movers.postgresql.frames import Frames
from monolift.lift.movers.postgresql.obstacles import long_transactions, obstacles
from monolift.lift.movers.postgresql.target import clear, close_target, drift, make_tables
from monolift.lift.moving import Blocked, Evidence, GaveUp, Move, Progress, Watch
from monolift.lift.sealing.postgresql import rights
from monolift.lift.sealing.postgresql.seal import run
from monolift.lift.sealing.postgresql.sides import Session, Side
from monolift.lift.sealing.postgresql.tables import PLATFORM, own_tables, owned_sequences, quoted
from monolift.lift.sealing.postgresql.tries import again
from monolift.observe.logs import logger
from monolift.registry.places import DEFAULT_ALIAS
from monolift.registry.topology import topology
from monolift.truth import row
from monolift.truth.document import Document
from monolift.truth.follow import spread

log = logger("monolift.lift")


def _nothing(_: str) -> None:
    pass


class PostgresMover:
    """See `monolift.lift.moving.Mover`."""

    def __init__(self, move: Move, *, reach: Reach = _nothing) -> None:
        self.move = move
        self.source = Side(move.module, move.source)
        self.target = Side(move.module, move.target)
        self._tables = own_tables(move.module)
        self._frames: Frames | None = None
        self._reach = reach

    @property
    def _feed(self) -> Feed:
        return Feed(self.source, self.target)

    @property
    def _back(self) -> Feed:
        return Feed(self.target, self.source)

    def obstacles(self) -> list[str]:
        """What keeps the copy from beginning: each names the thing and the way out."""
        return obstacles(self.move, self.source, self.target)

    def statements(self) -> list[str]:
        """What the copy and the cut-over run, in order."""
        with self.source.connected() as session:
            numbers = [name for _, _, name in owned_sequences(session, self._tables)]
        here, there = self.source, self.target
        return [
            f"-- at {there.alias}: the migrations of {self.move.module}, as the owner",
            *rights.functions(),
            rights.marker_table(),
            *rights.row_rights(self.move.module, there.role),
            *rights.triggers(self.move.module, there.role, self._tables),
            *rights.close_statements(there.role, self._tables, numbers),
            f"-- at {here.alias}: the publication and its slot; at {there.alias}: the subscription",
            *self._feed.statements(),
            f"-- at the cut-over, at {here.alias}",
            f"SELECT pg_advisory_xact_lock({rights.lock_key(self.move.module)})",
            *rights.close_statements(here.role, self._tables, numbers),
            f"-- at {there.alias}",
            *rights.open_statements(there.role, self._tables, numbers),
            *rights.end_leases(self.move.module, there.role),
        ]

    def copy(self, watch: Watch) -> Evidence:
        """Copy all rows, and keep what changes coming from then on. Raises Blocked."""
        self._must_own(self.source)
        begun = time.monotonic()
        migrated: list[str] = []
        if not self.begun():
            if found := self.obstacles():
                raise Blocked(" ".join(found))
            migrated = self._prepare()
            self._copy_rows(watch)
        self._feed.subscribe()
        self._reach("copy: subscription")
        total = self.progress().total
        self._feed.catch_up(lambda behind: watch(Progress(rows=total, total=total, behind=behind)))
        with self.target.connected() as session:
            for table in (*self._tables, *PLATFORM):
                session.execute(f"ANALYZE {quoted(table)}")
        self._feed.wait_until_alive()
        progress = self.progress()
        watch(progress)
        return {
            "rows": progress.rows,
            "seconds": round(time.monotonic() - begun, 3),
            "migrated": migrated,
        }

    def begun(self) -> bool:
        """See `Mover`."""
        try:
            with self.target.connected() as session:
                return self._feed.subscribed(session)
        except psycopg.OperationalError:
            return False  # what is wrong there is an obstacle

    def _prepare(self) -> list[str]:
        """Both sides, up to the moment before the first row."""
        with self.source.connected() as session:
            session.execute(rights.marker_table())
        migrated = make_tables(self.target)
        self._reach("copy: tables")
        close_target(self.target)
        clear(self.target)  # what migrations wrote comes with the copy
        with self.source.connected() as here, self.target.connected() as there:
            if differences := drift(here, there, self.move.module):
                raise Blocked(
                    f"The tables of {self.move.module} differ: {'; '.join(differences[:5])}. "
                    "Migrate both sides, or change one by hand."
                )
        self._feed.publish()
        self._back.publish()
        return migrated

    def _copy_rows(self, watch: Watch) -> None:
        total = self.progress().total

        def copied(rows: int) -> None:
            watch(Progress(rows=min(rows, total), total=total, behind=self._feed.behind()))

        self._feed.copy(copied=copied, reach=self._reach)

    def progress(self) -> Progress:
        """How far the copy is behind now; rows are estimates."""
        tables = [quoted(table) for table in self._tables]
        with self.source.connected() as here, self.target.connected() as there:
            total = _estimate(here, tables)
            there_now = _estimate(there, tables)
        return Progress(rows=min(there_now, total), total=total, behind=self._feed.behind())

    def rehearse(self) -> Evidence:
        """The whole cut-over, taken back before the commit. Raises GaveUp."""
        self._must_own(self.source)
        self._must_be_copied()
        self.recover()  # one that was killed has stopped the feed
        try:
            attempt = self._ready()
            attempt.run(None)
            if attempt.frames is not None:
                attempt.frames.close()
            return evidence(attempt.timings)
        finally:
            self.recover()

    def cut_over(self, change: Callable[[], Document]) -> Evidence:
        """Hold writers up, catch up, and close the source in the commit that moves the truth.

        Raises GaveUp.
        """
        self._must_own(self.source)
        self._must_be_copied()
        document: Document | None = None
        timings: dict[str, float] = {}
        try:
            attempt = self._ready()
            timings = attempt.timings
            document = attempt.run(change)
        except Exception as error:
            if not self._moved():
                self.recover()
                if isinstance(error, DatabaseError | psycopg.Error):
                    raise GaveUp(
                        f"The cut-over of {self.move.module} met an error, and all is as it was: "
                        f"{error}"
                    ) from error
                raise
            log.warning("the commit went through, its answer did not", exc_info=error)
        else:
            self._frames = attempt.frames
        self._announce(document)
        self._reach("G1")
        self._feed_back()
        return {**evidence(timings), "epoch": row.epoch(connections[DEFAULT_ALIAS])}

    def _ready(self) -> CutOver:
        """P0 and P1: all that takes its time, before anybody waits."""
        self._end_leftovers()
        self._back.publish()
        self._back.make_slot()
        self._reach("P0")
        with self.source.connected() as here, self.target.connected() as there:
            if found := long_transactions(here, self.source, over=self.move.budget):
                raise GaveUp(" ".join(found))
            if differences := drift(here, there, self.move.module):
                raise Blocked(
                    f"The tables of {self.move.module} differ since they were copied: "
                    f"{'; '.join(differences[:5])}. Were they migrated on one side? Do the same on "
                    "the other (with what is added, the side that is fed comes first), then try "
                    "again."
                )
        attempt = CutOver(self.move, self.source, self.target, reach=self._reach)
        alive = self._feed.wait_until_alive()
        attempt.timings["gate"] = alive
        self._reach("P1")
        return attempt

    def _must_be_reached(self) -> None:
        for side in (self.source, self.target):
            try:
                side.session().close()
            except psycopg.OperationalError as error:
                raise Blocked(
                    f"The owner's connection to {side.alias!r} fails, so nothing is put right "
                    f"there yet: {str(error).strip()} Resume when the database is back."
                ) from error

    def _must_be_copied(self) -> None:
        with self.target.connected() as session:
            if not self._feed.copied(session):
                raise Blocked(
                    f"{self.move.module} is not copied to {self.move.target!r} yet: copy it first."
                )

    def _announce(self, document: Document | None) -> None:
        connection = connections[DEFAULT_ALIAS]
        try:
            spread(document or row.latest(connection))
        except Exception as error:  # it is speed: who is not told is refused, and looks
            log.warning("the move could not be told", exc_info=error)

    def _feed_back(self) -> None:
        """G1: what is written at the target from now on keeps the source as it would be."""
        self._back.subscribe()
        self._feed.drop()

    def recover(self) -> None:
        """After a crash: the side that the truth row names is open, the other closed, and fed."""
        self._must_be_reached()
        self._end_leftovers()
        owner, other = self._sides()
        self._close(other)
        self._open(owner)
        feed, wrong = Feed(owner, other), Feed(other, owner)
        with owner.connected() as session:
            kept = feed.has_slot(session)
        with other.connected() as session:
            subscribed = feed.subscribed(session)
        with owner.connected() as session:
            turned = wrong.subscribed(session)
        if subscribed:
            feed.subscribe()  # lets it go on
        elif kept and turned:
            feed.subscribe()  # the slot has passed over what came from there
        elif kept:
            feed.drop()  # it was to copy, and had not begun
        wrong.drop()

    def verify(self) -> Evidence:
        """Compare both sides row for row, as they were at the cut-over."""
        begun = time.monotonic()
        frames, self._frames = self._frames, None
        if frames is None:
            frames = self._frames_now()
        differences = frames.compare()
        return {"differences": differences, "seconds": round(time.monotonic() - begun, 3)}

    def keep(self) -> list[str]:
        """See `Mover`. A move back leaves the source's tables where they are."""
        return []

    def _frames_now(self) -> Frames:
        """Of a process that has not made the cut-over: a moment of now instead."""
        owner, other = self._sides()
        feed = Feed(owner, other)
        frames = Frames(self.source, self.target)

        def taken() -> None:
            with (
                owner.connected() as marking,
                other.connected() as there,
                fence_held(owner, []),
            ):
                mark = feed.mark(marking)
                if not feed.arrived(there, mark, within=self.move.budget):
                    raise GaveUp(f"{other.alias!r} is too far behind to be compared: try again.")
                frames.take()

        try:
            feed.wait_until_alive()
            again(taken, what=f"Comparing {self.move.module}")
        except BaseException:
            frames.close()
            raise
        return frames

    def drop(self) -> None:
        """Give a copy up before its cut-over: the target's rows go, and what fed them."""
        self._must_own(self.source)
        self._end_leftovers()
        self._feed.drop()
        self._back.drop()
        self._drop_publications()
        with self.target.connected() as session:
            made = [
                table
                for table in (*self._tables, *PLATFORM)
                if session.execute("SELECT to_regclass(%s)", (quoted(table),)).fetchone() != (None,)
            ]
        if len(made) == len(self._tables) + len(PLATFORM):
            close_target(self.target)
            clear(self.target)

    def finish(self) -> Evidence:
        """After the soak: end the feed back. The old tables stay, and stay locked."""
        owner, other = self._sides()
        Feed(owner, other).drop()
        Feed(other, owner).drop()
        self._drop_publications()
        with other.connected() as session:
            left = drop_slots(session, lambda name: name == Feed(other, owner).slot)
        self._close(other)
        return {"owner": owner.alias, "locked": other.alias, "slots": left}

    def _drop_publications(self) -> None:
        for side in (self.source, self.target):
            with side.connected() as session:
                session.execute(f"DROP PUBLICATION IF EXISTS {quoted(self._feed.publication)}")

    def _sides(self) -> tuple[Side, Side]:
        """Who owns the module, by the truth row, and the other one. Raises Blocked."""
        alias = self._owner()
        if alias == self.move.source:
            return self.source, self.target
        if alias == self.move.target:
            return self.target, self.source
        raise Blocked(
            f"{self.move.module} is on {alias!r}, which is neither {self.move.source!r} nor "
            f"{self.move.target!r}: this is not the move that is under way."
        )

    def _owner(self) -> str:
        """By the row itself: this process may have heard nothing yet."""
        document = row.apart()
        if document is None:
            raise Blocked("The truth row cannot be read: see that the default database is there.")
        stay = document.places.get(self.move.module)
        return stay.database if stay else topology().alias(self.move.module)

    def _moved(self) -> bool:
        return self._owner() == self.move.target

    def _must_own(self, side: Side) -> None:
        owner = self._owner()
        if owner != side.alias:
            raise Blocked(
                f"{self.move.module} is on {owner!r} by the truth row, not on {side.alias!r}: "
                "there is nothing to move from there."
            )

    def _close(self, side: Side) -> None:
        with side.connected() as session:
            if not self._is_made(session):
                return
            numbers = [name for _, _, name in owned_sequences(session, self._tables)]
            epoch = row.epoch(connections[DEFAULT_ALIAS])

            def closed() -> None:
                with session.transaction():
                    session.execute("SET LOCAL lock_timeout = '100ms'")
                    run(
                        session,
                        [
                            *rights.close_statements(side.role, self._tables, numbers),
                            rights.set_fence(self.move.module, epoch=epoch, is_open=False),
                        ],
                    )

            again(closed, what=f"Closing {side.alias!r}")

    def _open(self, side: Side) -> None:
        """Where it is not open already; in the fence, so that no writer meets the statements."""
        epoch = row.epoch(connections[DEFAULT_ALIAS])
        with side.connected() as session:
            if self._is_open(session, side):
                return
            numbers = [name for _, _, name in owned_sequences(session, self._tables)]

        def opened() -> None:
            with fence_held(side, self._tables) as session:
                run(
                    session,
                    [
                        *rights.open_statements(side.role, self._tables, numbers),
                        rights.set_fence(self.move.module, epoch=epoch, is_open=True),
                    ],
                )

        again(opened, what=f"Opening {side.alias!r}")

    def _is_open(self, session: Session, side: Side) -> bool:
        found = session.execute(
            "SELECT open FROM monolift_fence WHERE module = %s", (self.move.module,)
        ).fetchone()
        names = [quoted(name) for name in (*self._tables, *PLATFORM)]
        rights_there = session.execute(
            "SELECT bool_and(has_table_privilege(%s, c::regclass, 'INSERT')) "
            "FROM unnest(%s::text[]) c",
            (side.role, names),
        ).fetchone()
        switched = session.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgname = 'monolift_closed' "
            "AND tgenabled <> 'D' AND tgrelid = ANY(%s::regclass[])",
            ([quoted(name) for name in self._tables],),
        ).fetchone()
        return bool(found == (True,) and rights_there == (True,) and switched == (0,))

    def _is_made(self, session: Session) -> bool:
        role = session.execute(
            "SELECT 1 FROM pg_trigger WHERE tgname = 'monolift_closed' "
            "AND tgrelid = to_regclass(%s)",
            (quoted(self._tables[0]) if self._tables else "",),
        )
        return role.fetchone() is not None

    def _end_leftovers(self) -> None:
        """Sessions of a lift that was killed: the server may still be working for them."""
        for side in (self.source, self.target):
            with side.connected() as session:
                _end_sessions(session, cut_name(self.move.module))


def _end_sessions(session: Session, name: str) -> None:
    while session.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = %s AND pid <> pg_backend_pid()",
        (name,),
    ).fetchall():
        cutover.pause()


def _estimate(session: Session, tables: list[str]) -> int:
    found = session.execute(
        "SELECT coalesce(sum(greatest(s.n_live_tup, c.reltuples::bigint, 0)), 0)::bigint "
        "FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid "
        "WHERE c.oid = ANY(%s::regclass[])",
        (tables,),
    ).fetchone()
    return int(found[0]) if found else 0


def mover(move: Move) -> PostgresMover:
    """The mover of this kind of database."""
    return PostgresMover(move)
