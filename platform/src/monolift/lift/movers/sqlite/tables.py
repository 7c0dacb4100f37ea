"""What of a SQLite file belongs to a module: its own tables, and its rows in the platform's."""

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.apps import apps

from monolift.boundaries.sql.ownership import bare, ownership
from monolift.lift.movers.sqlite.triggers import triggers
from monolift.lift.sealing.postgresql.tables import own_tables
from monolift.registry.modules import module_of

PLATFORM = "monolift_db"
_TRAVELLING = (
    "monolift_outbox",
    "monolift_delivery",
    "monolift_key",
    "monolift_saga",
    "monolift_arrival",
)
"""The platform's tables whose rows have a module."""
COMING, GONE = "monolift_coming_", "monolift_moved_"
_DERIVED = re.compile(r"\bcontent\s*=\s*['\"]?\w", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table, or one module's part of it."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    """What finds a row on both sides."""
    module: str | None = None
    """Only the rows of that module; None for all."""
    triggers: tuple[str, ...] = ()
    """The statements of those that must not fire while rows are copied."""

    @property
    def where(self) -> str:
        """The condition of its rows, with one parameter if it is a part."""
        return "module = ?" if self.module else "1"

    @property
    def given(self) -> tuple[str, ...]:
        """The parameter."""
        return (self.module,) if self.module else ()

    @property
    def coming(self) -> str:
        """What it is called in the file that it comes to, until the module is opened there."""
        return self.name if self.module else COMING + self.name

    @property
    def gone(self) -> str:
        """What it is called in the file that it has left."""
        return self.name if self.module else GONE + self.name


def quoted(name: str) -> str:
    """A name in a statement."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Sequence[str]) -> str:
    """Names in a statement."""
    return ", ".join(map(quoted, names))


class Layout:
    """The objects of a module in a file.

    `own` are its tables, `virtual` those that others feed, `coming` those that a move brings, and
    `gone` those that it has taken elsewhere, by the names that they have otherwise; `missing` is
    what its models want and is not there.
    """

    def __init__(self, link: sqlite3.Connection, module: str) -> None:
        self.module = module
        rows = link.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        is_own = _ownership(module)
        virtual = {
            name: sql
            for kind, name, _, sql in rows
            if kind == "table" and sql and sql.upper().startswith("CREATE VIRTUAL")
        }
        shadows = tuple(f"{name}_" for name in virtual)
        ordinary = [
            name
            for kind, name, _, sql in rows
            if kind == "table" and sql and name not in virtual and not name.startswith(shadows)
        ]

        def called(before: str) -> list[str]:
            names = (name.removeprefix(before) for name in ordinary if name.startswith(before))
            return sorted(filter(is_own, names))

        self.own = called("")
        self.coming = called(COMING)
        self.gone = called(GONE)
        self.virtual = {name: sql for name, sql in virtual.items() if is_own(name)}
        self.missing = sorted(set(own_tables(module)) - set(self.own))
        known = {*self.own, *self.virtual}
        names = (COMING + name for name in self.coming), (GONE + name for name in self.gone)
        self.triggers = list(
            triggers(rows, tables={*self.own, *chain(*names)}, virtual=self.virtual)
        )
        """Those of all its tables."""
        self.statements = [
            *(sql for kind, name, _, sql in rows if kind == "table" and name in self.own),
            *self.virtual.values(),
            *(
                sql
                for kind, name, table, sql in rows
                if sql and table in known and kind == "index" and not name.startswith("monolift_")
            ),
            *(one.sql for one in self.triggers if one.table in known and not one.does_more),
        ]
        """What makes the module's objects, tables first, without the triggers of `Table`."""
        self.without_rowid = sorted(
            name
            for kind, name, _, sql in rows
            if kind == "table" and name in self.own and "WITHOUT ROWID" in sql.upper()
        )
        self.opaque = sorted(name for name, sql in self.virtual.items() if not _DERIVED.search(sql))
        """Virtual tables that no other table feeds."""

    def tables(self, link: sqlite3.Connection) -> list[Table]:
        """The tables to copy: the module's own, also after they have left, then its part of the
        platform's.
        """
        before = "" if self.own else GONE
        found = [
            Table(
                name=name,
                columns=("rowid", *_columns(link, before + name)),
                key=("rowid",),
                triggers=tuple(
                    one.sql.replace(f'"{GONE}', '"')  # as SQLite wrote it when the table left
                    for one in self.triggers
                    if one.table == before + name and one.does_more
                ),
            )
            for name in self.own or self.gone
        ]
        present = {name for (name,) in link.execute("SELECT name FROM sqlite_master")}
        found += [
            Table(
                name=name,
                columns=_columns(link, name),
                key=_primary_key(link, name),
                module=self.module,
            )
            for name in _TRAVELLING
            if name in present
        ]
        return found


def platform_statements(link: sqlite3.Connection) -> Iterator[str]:
    """What makes the platform's tables, with their indexes."""
    names = [model._meta.db_table for model in apps.get_app_config(PLATFORM).get_models()]
    marks = ", ".join("?" * len(names))
    for kind in ("table", "index"):
        rows = link.execute(
            f"SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name IN ({marks}) "
            "AND sql IS NOT NULL",
            (kind, *names),
        )
        yield from (sql for (sql,) in rows)


def renaming(name: str, new: str) -> str:
    """The statement that gives a table another name, also where something refers to it."""
    return f"ALTER TABLE {quoted(name)} RENAME TO {quoted(new)}"


def _ownership(module: str) -> Callable[[str], bool]:
    """Whether a table is the module's, by its name.

    It is when a model of the module has it. A table that no model has goes by the name that it
    begins with, to the app of the longest that fits.
    """
    owners = ownership()
    modelled = {
        bare(model._meta.db_table)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }
    longer = tuple(
        f"{app.label}_"
        for app in apps.get_app_configs()
        if app.label.startswith(f"{module}_") and module_of(app.name) != module
    )

    def is_own(name: str) -> bool:
        if (owner := owners.owner(name)) is not None:
            return owner == module
        return (
            name.startswith(f"{module}_")
            and name.lower() not in modelled
            and not name.startswith(longer)
        )

    return is_own


def _columns(link: sqlite3.Connection, table: str) -> tuple[str, ...]:
    rows: list[tuple[Any, ...]] = link.execute(f"PRAGMA table_xinfo({quoted(table)})").fetchall()
    return tuple(row[1] for row in rows if row[6] == 0)  # without those that are generated


def _primary_key(link: sqlite3.Connection, table: str) -> tuple[str, ...]:
    rows = link.execute(f"PRAGMA table_info({quoted(table)})").fetchall()
    return tuple(row[1] for row in sorted(rows, key=lambda row: row[5]) if row[5])
