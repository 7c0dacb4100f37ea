"""Moving a module from one SQLite file to another while it is used.

1. Triggers at the source note every change; then all rows are copied, some at a time.
2. What is noted is copied again, in rounds, until little is left.
3. The fence: the source's write lock is taken, the rest is copied, and the source is closed in the
   commit that moves the truth.

Where the rows are copied to, the tables have another name until the commit that opens the module
there: it may have been there before, and somebody may have slept since.

A commit over two files is atomic for each of them only, so the new file commits first, alone: what
it holds counts when the truth says so. Homewards the truth is in the target's file; then the source
is closed first, and for the instant until the target's commit nobody owns the module. An epoch that
changes nothing goes before it, by which those who are refused in that instant see that they have to
wait.

From the commit that opens the module on, what changes there is noted as well, until both sides are
compared: who goes on after a kill compares all that has not changed since.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from django.db import connections

from monolift.kernel.clock import monotonic
from monolift.lift.movers.sqlite import fence
from monolift.lift.movers.sqlite.compare import Views, compare_left
from monolift.lift.movers.sqlite.control import controlling
from monolift.lift.movers.sqlite.feed import BATCH, BULK, Feed, batches, insert
from monolift.lift.movers.sqlite.files import (
    PAUSE,
    count,
    delete,
    file_of,
    has,
    opened,
    seen,
    touch,
    writing,
)
from monolift.lift.movers.sqlite.keeping import keep
from monolift.lift.movers.sqlite.tables import COMING, Layout, Table, renaming
from monolift.lift.movers.sqlite.target import Target, unmade
from monolift.lift.moving import Evidence, GaveUp, Move, Progress, Watch
from monolift.registry.places import DEFAULT_ALIAS
from monolift.registry.topology import topology
from monolift.truth import row
from monolift.truth.document import Document

_FEW = 50
"""Noted changes at which another round brings nothing: a fraction of a millisecond's work."""
_MANY = 500
"""More than these, and the fence would be held too long."""
_ROUNDS = 50
_PATIENCE = 60.0
"""Seconds to wait for the write lock where nobody waits for us."""


class SqliteMover:
    """A `Mover` between two files of this machine."""

    def __init__(self, move: Move) -> None:
        self.move = move
        self._source = file_of(move.source)
        self._target = file_of(move.target)
        self._views: Views | None = None

    def obstacles(self) -> list[str]:
        """See `Mover`."""
        with opened(self._source) as source:
            layout = Layout(source, self.move.module)
            found = [
                f"{name} is WITHOUT ROWID: make it an ordinary table."
                for name in layout.without_rowid
            ]
            found += [
                f"{name} is a virtual table that no other table feeds, so its changes cannot be "
                "noted. Give it a content table, or leave the module where it is."
                for name in layout.opaque
            ]
            if layout.missing and not layout.gone:
                found.append(
                    f"{self._source} lacks {', '.join(layout.missing)}: run `manage.py migrate`."
                )
            if not found:
                found += unmade(source, layout)
        with seen(self._target) as target:
            there = Layout(target, self.move.module).own
            if there and not self._there.known(target):
                found.append(
                    f"{self._target} has {', '.join(there)} already, and no move brought them "
                    "there. Look at what is in them, then take them away."
                )
        return found

    def begun(self) -> bool:
        """See `Mover`."""
        with opened(self._source) as source, seen(self._target) as target:
            return self._is_closed() or (self._there.copied(target) and self._feed.exists(source))

    def statements(self) -> list[str]:
        """See `Mover`."""
        module, tables = self.move.module, self._tables
        with opened(self._source) as source:
            layout = Layout(source, self.move.module)
        shown = [f"-- in {self._target}", *layout.statements]
        shown += [renaming(name, COMING + name) for name in layout.own]
        shown += [f"copy {table.name} where {table.where}" for table in tables]
        fence.take_over(shown.append, module=module, tables=tables, epoch=0)
        shown.append(f"-- in {self._source}")
        fence.close(shown.append, module=module, tables=tables, epoch=0, others=True)
        return shown

    def copy(self, watch: Watch) -> Evidence:
        """See `Mover`."""
        began = monotonic()
        if self._is_closed():  # by a cut-over that was killed: everything is there
            return {"rows": 0, "seconds": 0.0, "rounds": 0, "resumed": True}
        with opened(self._source) as source, opened(self._target) as target:
            if self._there.copied(target) and self._feed.exists(source):
                rows = self._there.count(target)
            else:
                rows = self._begin(source, target, watch)
            rounds = self._catch_up(source, target)
        return {"rows": rows, "seconds": monotonic() - began, "rounds": rounds}

    def progress(self) -> Progress:
        """See `Mover`."""
        with opened(self._source) as source, seen(self._target) as target:
            behind = self._feed.behind(source) if self._feed.exists(source) else 0
            rows, total = self._there.count(target), self._count(source)
            return Progress(rows=rows, total=total, behind=behind)

    def rehearse(self) -> Evidence:
        """See `Mover`."""
        with opened(self._source, self.move.budget) as source, opened(self._target) as target:
            self._catch_up(source, target)
            with self._held(source):
                began = monotonic()
                carried = self._last_round(source, target, began)
                held = monotonic() - began
        return {"held": held, "carried": carried}

    def cut_over(self, change: Callable[[], Document]) -> Evidence:
        """See `Mover`."""
        if self._is_closed():
            with controlling(self.move.budget):
                document = self._open_at_home(change)
            return {"held": 0.0, "carried": 0, "epoch": document.epoch, "resumed": True}
        if self.move.source == DEFAULT_ALIAS:
            return self._out(change)
        return self._home(change)

    def recover(self) -> None:
        """See `Mover`."""
        at = topology().alias(self.move.module)
        if at == self.move.target:
            with opened(self._source) as source, writing(source):
                self._feed.end(source.execute)
        elif at == self.move.source and not self._is_closed():
            with opened(self._source) as source, opened(self._target) as target:
                self._take_back(source, target)

    def verify(self) -> Evidence:
        """See `Mover`."""
        began = monotonic()
        found: dict[str, Any] = {}
        if self._views is not None:
            rows, differences = self._views.compared(self._tables)
            self._views = None
        elif self._is_cut_over():
            rows, differences, changed = self._compared_since()
            found["note"] = f"compared after a kill, without {changed} rows that changed since"
        else:
            return {"rows": 0, "differences": [], "note": "nothing is left to compare"}
        if not differences:  # else the way back ends it, and until then they are found again
            with opened(self._target, _PATIENCE) as target, writing(target):
                self._feed.end(target.execute)
        return found | {"rows": rows, "differences": differences, "seconds": monotonic() - began}

    def keep(self) -> list[str]:
        """See `Mover`."""
        with opened(self._source, _PATIENCE) as source:
            return keep(source, self._tables, epoch=topology().epoch)

    def _is_cut_over(self) -> bool:
        """Whether a cut-over has opened the module at the target, and nobody has compared since."""
        with seen(self._target) as target:
            return self._is_closed() and self._since.exists(target)

    def _compared_since(self) -> tuple[int, list[str], int]:
        with opened(self._source) as source, opened(self._target) as target:
            target.execute("BEGIN")
            touch(target)
            changed = self._since.changed(target)
            rows, differences = compare_left(source, target, self._tables, changed=changed)
            target.execute("COMMIT")
        return rows, differences, sum(map(len, changed.values()))

    def drop(self) -> None:
        """See `Mover`."""
        with opened(self._source) as source, writing(source):
            self._feed.end(source.execute)
            fence.unguard(source.execute, module=self.move.module, tables=self._tables)
        with opened(self._target) as target:
            with writing(target):  # of a way home that was killed
                self._feed.end(target.execute)
            self._there.clear(target)

    def finish(self) -> Evidence:
        """See `Mover`."""
        with opened(self._source) as source:
            parts = [table for table in self._tables if table.module is not None]
            return {"rows of history": sum(delete(source, table) for table in parts)}

    # What both directions share ------------------------------------------------------------

    @cached_property
    def _tables(self) -> list[Table]:
        """As they are at the source, also after it was closed."""
        with opened(self._source) as source:
            return Layout(source, self.move.module).tables(source)

    @cached_property
    def _feed(self) -> Feed:
        return Feed(self.move.module, self._tables)

    @cached_property
    def _since(self) -> Feed:
        """At the target, from the cut-over on, of what stays at the source as it was."""
        return Feed(self.move.module, [table for table in self._tables if table.module is None])

    @cached_property
    def _there(self) -> Target:
        return Target(self.move, self._tables)

    def _begin(self, source: sqlite3.Connection, target: sqlite3.Connection, watch: Watch) -> int:
        """Note changes from now on, and copy all rows; how many there were."""
        self._there.clear(target)
        with writing(source):
            self._feed.end(source.execute)
            self._feed.begin(source.execute)
            fence.guard(source.execute, module=self.move.module, tables=self._tables)
        self._there.make(source, target)
        total, done = self._count(source), 0
        for table in self._tables:
            for rows in batches(source, table, most=BATCH if self._there.shared else BULK):
                with self._there.writing(target):
                    insert(target, table, rows)
                done += len(rows)
                watch(Progress(rows=done, total=total, behind=self._feed.behind(source)))
                if self._there.shared:
                    time.sleep(PAUSE)
        with writing(target):
            self._there.mark_copied(target)
        return done

    def _catch_up(self, source: sqlite3.Connection, target: sqlite3.Connection) -> int:
        """Copy what was noted until little is; in how many rounds."""
        for done in range(_ROUNDS):
            if self._feed.behind(source) <= _FEW:
                return done
            with self._there.writing(target):
                _, last = self._feed.carry(source, target)
            with writing(source):
                self._feed.forget(source, last)
        if self._feed.behind(source) > _MANY:
            raise GaveUp(
                f"{self.move.module} is written faster than its changes can be copied: "
                f"{self._feed.behind(source)} are noted. Try again when less is going on."
            )
        return _ROUNDS

    @contextmanager
    def _held(self, source: sqlite3.Connection) -> Iterator[None]:
        """With the source's write lock: nobody writes, everybody waits."""
        try:
            source.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise GaveUp(f"{self._source} is being written for too long: {error}.") from error
        try:
            yield
        finally:
            if source.in_transaction:
                source.execute("ROLLBACK")

    def _last_round(
        self, source: sqlite3.Connection, target: sqlite3.Connection, began: float
    ) -> int:
        """Copy what was noted last, and commit that in the target, where it does not count yet."""
        with self._there.writing(target):
            carried, _ = self._feed.carry(source, target)
            self._copy_sequences(source, target)
        held = monotonic() - began
        if held > self.move.budget:
            raise GaveUp(
                f"Writers were held up for {held:.3f} s, and the budget is {self.move.budget} s: "
                f"{carried} changes were noted. Try when less is going on."
            )
        return carried

    def _copy_sequences(self, source: sqlite3.Connection, target: sqlite3.Connection) -> None:
        """Numbers that were given are never given again."""
        if not has(source, "sqlite_sequence"):
            return
        for table in self._tables:
            given = source.execute(
                "SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)
            ).fetchone()
            if table.module is None and given is not None:
                target.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table.coming,))
                target.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table.coming, *given))

    # Out of the control database's file ----------------------------------------------------

    def _out(self, change: Callable[[], Document]) -> Evidence:
        """The target's commit, which nobody knows of; then one that closes, and moves the truth."""
        module, epoch = self.move.module, topology().epoch + 1
        with (
            opened(self._source) as source,
            opened(self._target) as target,
            Views(self._source, self._target) as views,
        ):
            self._catch_up(source, target)
            asked = monotonic()
            try:
                with controlling(self.move.budget) as execute:
                    began = monotonic()
                    carried = self._last_round(source, target, began)
                    views.freeze()
                    with writing(target):
                        self._open(target.execute, epoch)
                    fence.close(
                        execute, module=module, tables=self._tables, epoch=epoch, others=True
                    )
                    document = change()
            except BaseException:
                self._take_back(source, target)
                raise
            held = monotonic() - began
            with writing(source):
                self._feed.end(source.execute)
        self._views, waited = views, began - asked
        return {"held": held, "waited": waited, "carried": carried, "epoch": document.epoch}

    def _open(self, execute: fence.Execute, epoch: int) -> None:
        """Open the module at the target, and note what changes there. Inside its transaction."""
        fence.take_over(execute, module=self.move.module, tables=self._tables, epoch=epoch)
        self._feed.end(execute)
        self._since.begin(execute)

    def _take_back(self, source: sqlite3.Connection, target: sqlite3.Connection) -> None:
        """Undo the target's commit, whose other half did not come about."""
        if self._there.opened(target) and not self._is_closed():
            if self._feed.exists(source):
                with writing(source):
                    for name, (_, held) in fence.RELEASED.items():
                        self._feed.note(source, name, held)
            with writing(target):
                self._feed.end(target.execute)
            self._there.take_back(target)

    # Back into it --------------------------------------------------------------------------

    def _home(self, change: Callable[[], Document]) -> Evidence:
        """The source is closed; then the target's commit opens it and moves the truth."""
        module = self.move.module
        with (
            opened(self._source, self.move.budget) as source,
            opened(self._target) as target,
            Views(self._source, self._target) as views,
        ):
            self._catch_up(source, target)
            with controlling(self.move.budget):
                epoch = row.change({}).epoch + 1
            with self._held(source):
                began = monotonic()
                carried = self._last_round(source, target, began)
                views.freeze()
                fence.close(
                    source.execute, module=module, tables=self._tables, epoch=epoch, others=False
                )
                source.execute("COMMIT")
            # Nobody owns the module now: it is opened there, or here again.
            try:
                with controlling(self.move.budget):
                    document = self._open_at_home(change)
            except BaseException:
                with writing(source):
                    fence.reopen(source.execute, module=module, tables=self._tables, epoch=epoch)
                raise
            held = monotonic() - began
            with writing(source):
                self._feed.end(source.execute)
            with writing(target):
                fence.unguard(target.execute, module=module, tables=self._tables)
        self._views = views
        return {"held": held, "carried": carried, "epoch": document.epoch}

    def _open_at_home(self, change: Callable[[], Document]) -> Document:
        execute = connections[DEFAULT_ALIAS].connection.execute
        document = change()
        self._open(execute, document.epoch)
        return document

    def _is_closed(self) -> bool:
        """Whether an earlier cut-over closed the source and was killed then."""
        with seen(self._source) as source:
            layout = Layout(source, self.move.module)
            return bool(layout.gone) and not layout.own

    def _count(self, source: sqlite3.Connection) -> int:
        """Rows at the source, also after it was closed."""
        return sum(count(source, table, (table.name, table.gone)) for table in self._tables)


def mover(move: Move) -> SqliteMover:
    """The mover of this kind of database."""
    return SqliteMover(move)
