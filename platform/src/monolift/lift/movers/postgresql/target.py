"""The tables of a module in the database that it goes to.

They are made by the module's own migrations, as the owner: so what a migration does by hand (an
extension, an index with a method of its own) is there too, and the next migration finds what it
expects. Rows that migrations write are taken away, since the copy brings them. Then both sides are
compared by their catalogues: whatever differs is named.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from monolift.lift.sealing.postgresql import rights
from monolift.lift.sealing.postgresql.locks import TableLocks
from monolift.lift.sealing.postgresql.seal import make_rights, run
from monolift.lift.sealing.postgresql.sides import Session, Side
from monolift.lift.sealing.postgresql.tables import (
    MARKER,
    PLATFORM,
    literal,
    own_tables,
    owned_sequences,
    quoted,
)
from monolift.lift.sealing.postgresql.tries import again

PLATFORM_APP = "monolift_db"
_MAKING = "making "
"""Before a module's name, in a row of the marker that no publication has."""


def make_tables(side: Side) -> list[str]:
    """Migrate the module and the platform there; the migrations that were run.

    Until `clear` is done, the rows there are theirs: who is killed in between finds that written.
    """
    with side.connected() as session:
        session.execute(rights.marker_table())
        session.execute(
            f"INSERT INTO {MARKER} (module, mark) VALUES (%s, '') ON CONFLICT DO NOTHING",
            (_MAKING + side.module,),
        )
    with _as_owner(side) as connection:
        executor = MigrationExecutor(connection)
        labels = {side.module, PLATFORM_APP}
        targets = [key for key in executor.loader.graph.leaf_nodes() if key[0] in labels]
        plan = executor.migration_plan(targets)
        if plan:
            executor.migrate(targets, plan)
        return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def close_target(side: Side) -> None:
    """Its role, its triggers, and a fence that lets nobody in."""
    tables = own_tables(side.module)
    make_rights(side, tables, is_open=False)

    locks = TableLocks(tables)

    def locked() -> None:
        with side.connected() as session:
            sequences = [name for _, _, name in owned_sequences(session, tables)]
            with session.transaction():
                locks.take(session)
                run(session, rights.triggers(side.module, side.role, tables))
                run(session, rights.close_statements(side.role, tables, sequences))

    again(locked, what=f"Closing {side.alias!r} for {side.module}")


def clear(side: Side) -> None:
    """Take all rows of the module away there."""
    with side.connected() as session, session.transaction():
        run(session, rights.clear_rows(side.module, side.role, own_tables(side.module)))
        session.execute(f"DELETE FROM {MARKER} WHERE module = %s", (_MAKING + side.module,))


def being_made(session: Session, module: str) -> bool:
    """Whether a copy made tables there and has not cleared them yet: their rows are its own."""
    if session.execute("SELECT to_regclass(%s)", (MARKER,)).fetchone() == (None,):
        return False
    query = f"SELECT 1 FROM {MARKER} WHERE module = %s"
    return session.execute(query, (_MAKING + module,)).fetchone() is not None


def rows_there(session: Session, module: str) -> list[str]:
    """The tables that have rows of the module."""
    found = []
    for table in (*own_tables(module), *PLATFORM):
        if session.execute("SELECT to_regclass(%s)", (quoted(table),)).fetchone() == (None,):
            continue
        mine = f" WHERE module = {literal(module)}" if table in PLATFORM else ""
        if session.execute(f"SELECT 1 FROM {quoted(table)}{mine} LIMIT 1").fetchone():
            found.append(table)
    return found


def _facts(session: Session, module: str) -> dict[str, str]:
    tables = [quoted(name) for name in (*own_tables(module), *PLATFORM)]
    rows = session.execute(
        "WITH t AS (SELECT c.oid, c.relname FROM pg_class c "
        "WHERE c.oid = ANY(SELECT to_regclass(n) FROM unnest(%s::text[]) n)) "
        "SELECT 'column ' || t.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) "
        "|| CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || "
        "CASE a.attidentity WHEN '' THEN '' ELSE ' identity' END || "
        "coalesce(' collate ' || (SELECT collname FROM pg_collation WHERE oid = a.attcollation "
        "AND a.attcollation <> 100), '') "
        "FROM t JOIN pg_attribute a ON a.attrelid = t.oid WHERE a.attnum > 0 "
        "AND NOT a.attisdropped "
        "UNION ALL SELECT 'constraint ' || t.relname || '.' || k.conname, "
        "pg_get_constraintdef(k.oid) FROM t JOIN pg_constraint k ON k.conrelid = t.oid "
        "UNION ALL SELECT 'index ' || t.relname || '.' || i.relname, "
        "pg_get_indexdef(i.oid) FROM t JOIN pg_index x ON x.indrelid = t.oid "
        "JOIN pg_class i ON i.oid = x.indexrelid",
        (tables,),
    )
    return dict(rows.fetchall())


def drift(source: Session, target: Session, module: str) -> list[str]:
    """What is not the same in the tables of both sides, in words."""
    one, other = _facts(source, module), _facts(target, module)
    found = [f"{name} is missing at the target" for name in sorted(one.keys() - other.keys())]
    found += [f"{name} is missing at the source" for name in sorted(other.keys() - one.keys())]
    found += [
        f"{name} is {one[name]!r} at the source and {other[name]!r} at the target"
        for name in sorted(one.keys() & other.keys())
        if one[name] != other[name]
    ]
    return found


@contextmanager
def _as_owner(side: Side) -> Iterator[Any]:
    """The alias means the owner's connection in this thread for a while, also for migrations that
    write by the ORM.
    """
    handler: Any = connections
    before = getattr(handler._connections, side.alias, None)
    connection = side.wrapper()
    handler[side.alias] = connection
    try:
        yield connection
    finally:
        connection.close()
        if before is None:
            del handler[side.alias]
        else:
            handler[side.alias] = before
