"""Where the rows go to: made ready, marked as what it is, and taken away again."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from monolift.lift.movers.sqlite import fence
from monolift.lift.movers.sqlite.files import count, delete, has, opened, writing
from monolift.lift.movers.sqlite.tables import (
    COMING,
    GONE,
    Layout,
    Table,
    platform_statements,
    quoted,
    renaming,
)
from monolift.lift.moving import Move
from monolift.registry.places import DEFAULT_ALIAS

_MIGRATIONS = "django_migrations"
_COPYING, _COPIED = (-1, 0), (0, 0)
"""(epoch, open) of a module whose rows are on their way here, or all here, before its cut-over."""


class Target:
    """One module's part of the file that a move goes to."""

    def __init__(self, move: Move, tables: Sequence[Table]) -> None:
        self.module = move.module
        self.shared = move.target == DEFAULT_ALIAS
        """Others write in it: it has modules that stay."""
        self.tables = tables

    def make(self, source: sqlite3.Connection, target: sqlite3.Connection) -> None:
        """Make the tables as they are at the source, without rows, by the names of those to come.

        Whoever slept since the module was here before finds no table, and never some of its rows.
        """
        layout = Layout(source, self.module)
        with writing(target):
            if not has(target, "monolift_outbox"):
                for statement in platform_statements(source):
                    target.execute(statement)
            _make(target, layout)
            self._mark(target, *_COPYING)
            self._copy_migrations(source, target)

    def clear(self, target: sqlite3.Connection) -> None:
        """Take away what an earlier move or copy left."""
        with writing(target):  # first it counts for nothing, and nobody finds it
            if self._row(target) is not None:
                self._mark(target, *_COPYING)
            found = Layout(target, self.module)
            for trigger in found.triggers:  # nothing is to be done for what is taken away
                target.execute(f"DROP TRIGGER {quoted(trigger.name)}")
            for name in found.own:
                target.execute(renaming(name, COMING + name))
        layout = Layout(target, self.module)
        names = [
            *(COMING + name for name in layout.coming),
            *(GONE + name for name in layout.gone),
        ]
        for name in names if self.shared else ():
            delete(target, Table(name=name, columns=(), key=()))
        with writing(target):
            for name in (*layout.virtual, *names):
                target.execute(f"DROP TABLE {quoted(name)}")
        for table in self.tables:
            if table.module is not None and has(target, table.name):
                delete(target, table)

    @contextmanager
    def writing(self, target: sqlite3.Connection) -> Iterator[None]:
        """A transaction that may write the module's rows although it is closed here.

        Nobody else sees it open: a file has one writer at a time.
        """
        with writing(target):
            before = self._row(target)
            self._mark(target, 0, 1)
            yield
            self._mark(target, *(before or _COPYING))

    def count(self, target: sqlite3.Connection) -> int:
        """Rows that are here."""
        return sum(count(target, table, (table.coming, table.name)) for table in self.tables)

    def mark_copied(self, target: sqlite3.Connection) -> None:
        """All rows are here. Inside a transaction."""
        self._mark(target, *_COPIED)

    def copied(self, target: sqlite3.Connection) -> bool:
        """Whether all rows are here, of a move that has not come to its cut-over."""
        return self._row(target) == _COPIED

    def take_back(self, target: sqlite3.Connection) -> None:
        """Undo that a cut-over opened the module here. Its feed goes on from before."""
        with writing(target):
            layout = Layout(target, self.module)
            for trigger in layout.triggers:
                if trigger.does_more:
                    target.execute(f"DROP TRIGGER {quoted(trigger.name)}")
            for name in layout.own:
                target.execute(renaming(name, COMING + name))
            self.mark_copied(target)

    def opened(self, target: sqlite3.Connection) -> bool:
        """Whether a cut-over opened the module here."""
        row = self._row(target)
        return row is not None and row[1] == 1

    def known(self, target: sqlite3.Connection) -> bool:
        """Whether a move has been here before."""
        return self._row(target) is not None

    def _mark(self, target: sqlite3.Connection, epoch: int, is_open: int) -> None:
        target.execute(
            "INSERT INTO monolift_fence (module, epoch, open) VALUES (?, ?, ?) "
            "ON CONFLICT (module) DO UPDATE SET epoch = excluded.epoch, open = excluded.open",
            (self.module, epoch, is_open),
        )

    def _row(self, target: sqlite3.Connection) -> tuple[int, int] | None:
        if not has(target, "monolift_fence"):
            return None
        row: tuple[int, int] | None = target.execute(
            "SELECT epoch, open FROM monolift_fence WHERE module = ?", (self.module,)
        ).fetchone()
        return row

    def _copy_migrations(self, source: sqlite3.Connection, target: sqlite3.Connection) -> None:
        """It is migrated as far as the source: in all of it if it is new, else for the module."""
        columns = "app, name, applied"
        module: str | None = self.module
        if not has(target, _MIGRATIONS):
            (sql,) = source.execute(
                "SELECT sql FROM sqlite_master WHERE name = ?", (_MIGRATIONS,)
            ).fetchone()
            target.execute(sql)
            module = None
        only = "? IS NULL OR app = ?"
        target.execute(f"DELETE FROM {_MIGRATIONS} WHERE {only}", (module, module))
        rows = source.execute(
            f"SELECT {columns} FROM {_MIGRATIONS} WHERE {only} ORDER BY id", (module, module)
        ).fetchall()
        target.executemany(f"INSERT INTO {_MIGRATIONS} ({columns}) VALUES (?, ?, ?)", rows)


def unmade(source: sqlite3.Connection, layout: Layout) -> list[str]:
    """Why the tables cannot be made anywhere else, as far as that can be seen without making them:
    a trigger that needs what stays, a function that only Django's connections have.
    """
    found = [
        f"The trigger {trigger.name} feeds a full text, and does something else as well, which "
        "would be done again for each row that is copied: make two triggers of it."
        for trigger in layout.triggers
        if trigger.feeds and trigger.does_more
    ]
    with opened(":memory:") as link:
        try:
            for statement in platform_statements(source):
                link.execute(statement)
            _make(link, layout)
            module, tables = layout.module, layout.tables(source)
            fence.take_over(link.execute, module=module, tables=tables, epoch=1)
            fence.close(link.execute, module=module, tables=tables, epoch=2, others=False)
        except sqlite3.OperationalError as error:
            found.append(
                f"The tables of {layout.module} cannot be made in a file of their own: {error}. "
                "Change what needs more than the module's tables, with a migration."
            )
    return found


def _make(target: sqlite3.Connection, layout: Layout) -> None:
    for statement in layout.statements:
        target.execute(statement)
    for name in layout.own:
        target.execute(renaming(name, COMING + name))
