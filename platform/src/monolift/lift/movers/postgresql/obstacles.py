"""What keeps a module's rows from being copied, found before anything is changed."""

from collections.abc import Iterator

import psycopg
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from monolift.kernel.interface import operations_of
from monolift.lift.movers.postgresql.feed import Feed
from monolift.lift.movers.postgresql.target import being_made, drift, rows_there
from monolift.lift.moving import Move
from monolift.lift.sealing.postgresql.rights import LOCK_TIMEOUT
from monolift.lift.sealing.postgresql.seal import ENGINE, owner_obstacles
from monolift.lift.sealing.postgresql.sides import Session, Side
from monolift.lift.sealing.postgresql.tables import PLATFORM, own_tables, quoted
from monolift.registry.databases import own_module
from monolift.registry.modules import modules

OLDEST = 150000
"""PostgreSQL 15: publications that choose rows."""
_SLOTS = 4
"""That a copy may need at once: its own, and those of tables that are being copied."""


class Unreachable(Exception):
    """One of the two cannot be asked anything."""


def obstacles(move: Move, source: Side, target: Side) -> list[str]:
    """All that is in the way; each names the thing and the way out."""
    return list(_obstacles(move, source, target))


def _obstacles(move: Move, source: Side, target: Side) -> Iterator[str]:
    settings = [*_settings(source), *_settings(target), *_budget(move)]
    yield from settings
    if settings:
        return
    try:
        with _opened(source) as here, _opened(target) as there:
            yield from _server(here, source)
            yield from _stale_slots(here)
            yield from _server(there, target)
            yield from _tables(here, source)
            yield from owner_obstacles(source, own_tables(source.module))
            yield from _foreign_writers(here, source)
            yield from _long_transactions(here, source)
            yield from _alike(here, there)
            yield from _left_behind(here, there, source, target)
            yield from _drift(here, there, source, target)
    except Unreachable as unreachable:
        yield str(unreachable)


def _settings(side: Side) -> Iterator[str]:
    where = f"DATABASES[{side.alias!r}]"
    entry = connections.settings[side.alias]
    if own_module(side.alias) != side.module:
        yield (
            f'{where} is not for {side.module}: give it "MONOLIFT": {{"module": '
            f'"{side.module}"}}, and seal the module first.'
        )
    elif entry["ENGINE"] != ENGINE:
        yield f"{where} has no fence: its ENGINE must be {ENGINE!r}."
    if not entry["USER"]:
        yield f"{where} names no USER: give the module a role of its own."


def _budget(move: Move) -> Iterator[str]:
    if move.budget >= LOCK_TIMEOUT:
        yield (
            f"The budget of {move.budget} s is not below the {LOCK_TIMEOUT:g} s for which a writer "
            "waits for the fence: give a smaller one."
        )
    for interface in modules()[move.module].provides:
        for operation in operations_of(interface).values():
            if operation.kind == "command" and operation.timeout <= move.budget:
                yield (
                    f"{operation.name} must be answered within {operation.timeout:g} s, and the "
                    f"budget lets writers wait for {move.budget:g} s: give a smaller budget, or "
                    "the command more time."
                )


class _opened:  # noqa: N801 - a context manager that reads as a verb
    def __init__(self, side: Side) -> None:
        self._side = side

    def __enter__(self) -> Session:
        side = self._side
        try:
            self._session = side.session()
        except psycopg.OperationalError as error:
            raise Unreachable(
                f"The owner's connection to {side.alias!r} fails: {_first(error)}. Look at HOST, "
                f"PORT, NAME and DATABASES[{side.alias!r}]['MONOLIFT']['owner']; the database must "
                "exist."
            ) from error
        return self._session

    def __exit__(self, *_: object) -> None:
        self._session.close()


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]


def _setting(session: Session, name: str) -> str:
    [row] = session.execute("SELECT current_setting(%s)", (name,)).fetchall()
    return str(row[0])


def _server(session: Session, side: Side) -> Iterator[str]:
    where = f"The server of {side.alias!r}"
    if session.info.server_version < OLDEST:
        yield f"{where} is older than PostgreSQL 15, which does not publish chosen rows."
    if _setting(session, "wal_level") != "logical":
        yield (
            f"{where} has wal_level = {_setting(session, 'wal_level')}: ALTER SYSTEM SET "
            "wal_level = 'logical', and restart it. (Both ways: the way back is a feed as well.)"
        )
    row = session.execute("SELECT count(*) FROM pg_replication_slots").fetchone()
    slots = int(_setting(session, "max_replication_slots")) - (row[0] if row else 0)
    if slots < _SLOTS:
        yield (
            f"{where} has {slots} replication slots left, and a copy takes up to {_SLOTS}: raise "
            "max_replication_slots, or drop some."
        )
    row = session.execute(
        "SELECT rolsuper, rolreplication, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    may = row or (False, False, False)
    if not may[0]:
        # Before release 16 only a superuser makes a subscription.
        if session.info.server_version < 160000:
            yield (
                f"The owner at {side.alias!r} makes subscriptions, which takes a superuser in "
                "PostgreSQL 15: give DATABASES[...]['MONOLIFT']['owner'] one for the lift."
            )
        elif not may[1]:
            yield f"The owner at {side.alias!r} needs REPLICATION: ALTER ROLE ... REPLICATION."
        elif not _may_place_origins(session):
            yield (
                f"The owner at {side.alias!r} says where a feed begins: GRANT EXECUTE ON FUNCTION "
                "pg_replication_origin_advance(text, pg_lsn) TO it."
            )
    try:
        role = side.as_module()
    except psycopg.OperationalError as error:
        known = session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (side.role,))
        if known.fetchone() is not None:
            yield (
                f"{side.role!r} cannot connect to {side.alias!r}: {_first(error)}. Look at USER "
                "and PASSWORD there."
            )
    else:
        role.close()


def _may_place_origins(session: Session) -> bool:
    [(may,)] = session.execute(
        "SELECT has_function_privilege('pg_replication_origin_advance(text, pg_lsn)', 'EXECUTE')"
    ).fetchall()
    return bool(may)


def stale_slots(session: Session) -> list[str]:
    """Slots of lifts that nobody reads any more, with what they keep."""
    rows = session.execute(
        "SELECT slot_name, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) "
        "FROM pg_replication_slots WHERE slot_name LIKE 'monolift\\_%%' AND NOT active "
        "AND slot_type = 'logical' ORDER BY 1",
        (),
    )
    return [f"{name} (keeps {kept} of the log)" for name, kept in rows.fetchall()]


def _stale_slots(session: Session) -> Iterator[str]:
    for slot in stale_slots(session):
        yield (
            f"A replication slot was left behind: {slot}. It keeps the log until the disk is full. "
            "`monolift lift ... land` ends the copy that it belongs to; or SELECT "
            "pg_drop_replication_slot(...)."
        )


def _tables(session: Session, side: Side) -> Iterator[str]:
    for table in (*own_tables(side.module), *PLATFORM):
        row = session.execute(
            "SELECT c.relpersistence::text, c.relreplident::text, EXISTS (SELECT 1 FROM pg_index "
            "WHERE indrelid = c.oid AND indisprimary) FROM pg_class c "
            "WHERE c.oid = to_regclass(%s)",
            (quoted(table),),
        ).fetchone()
        if row is None:
            yield f"{table} is missing at {side.alias!r}: migrate first."
            continue
        persistence, identity, primary = row
        if persistence == "u":
            yield f"{table} is unlogged, so it cannot be copied: ALTER TABLE {table} SET LOGGED."
        if not primary and identity not in ("f", "i"):
            yield (
                f"{table} has no primary key: changes to its rows cannot be told apart. Add one, "
                f"or ALTER TABLE {table} REPLICA IDENTITY FULL."
            )
    row = session.execute(
        "SELECT count(*) FROM pg_depend d JOIN pg_class c ON c.oid = d.refobjid "
        "WHERE c.oid = ANY(SELECT to_regclass(n) FROM unnest(%s::text[]) n) "
        "AND d.classid = 'pg_constraint'::regclass AND EXISTS (SELECT 1 FROM pg_constraint k "
        "WHERE k.oid = d.objid AND k.contype = 'f' AND k.confrelid = c.oid "
        "AND NOT k.conrelid = ANY(SELECT to_regclass(n) FROM unnest(%s::text[]) n))",
        ([quoted(t) for t in own_tables(side.module)],) * 2,
    ).fetchone()
    if row and row[0]:
        yield (
            f"{row[0]} foreign keys of other tables point at {side.module}'s: loosen them first "
            "(`monolift loosen`)."
        )


def _foreign_writers(session: Session, side: Side) -> Iterator[str]:
    rows = session.execute(
        "SELECT DISTINCT a.usename, a.application_name FROM pg_locks l "
        "JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'relation' "
        "AND l.mode = 'RowExclusiveLock' AND a.usename <> %s AND a.pid <> pg_backend_pid() "
        "AND a.backend_type = 'client backend' "
        "AND l.relation = ANY(SELECT to_regclass(n) FROM unnest(%s::text[]) n)",
        (side.role, [quoted(table) for table in own_tables(side.module)]),
    )
    for user, program in rows.fetchall():
        yield (
            f"{user} ({program or 'no application_name'}) writes {side.module}'s tables, and is "
            f"not {side.role}: let it go by the alias {side.alias!r}."
        )


def long_transactions(session: Session, side: Side, *, over: float) -> list[str]:
    """Transactions of the module that have been open for longer: a cut-over would wait for them."""
    rows = session.execute(
        "SELECT pid, usename, extract(epoch FROM clock_timestamp() - xact_start)::int, state "
        "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend' AND application_name NOT LIKE 'monolift lift%%' "
        "AND xact_start < clock_timestamp() - make_interval(secs => %s) "
        "AND (usename = %s OR backend_xid IS NOT NULL)",
        (over, side.role),
    )
    return [
        f"A transaction of {user} (pid {pid}, {state}) has been open for {seconds} s at "
        f"{side.alias!r}: end it, or wait."
        for pid, user, seconds, state in rows.fetchall()
    ]


def _long_transactions(session: Session, side: Side) -> Iterator[str]:
    yield from long_transactions(session, side, over=30)


def _alike(here: Session, there: Session) -> Iterator[str]:
    query = (
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider::text, "
        "coalesce(pg_database_collation_actual_version(oid), '') "
        "FROM pg_database WHERE datname = current_database()"
    )
    names = ("encoding", "collation", "character type", "locale provider", "collation version")
    one, other = here.execute(query).fetchone(), there.execute(query).fetchone()
    for name, before, after in zip(names, one or (), other or (), strict=True):
        if before != after:
            yield (
                f"The {name} of the databases differs: {before!r} and {after!r}. Order and "
                "uniqueness would change: make the target with the source's."
            )
    extensions = "SELECT extname, extversion FROM pg_extension"
    known = dict(there.execute(extensions).fetchall())
    offered = {
        name for (name,) in there.execute("SELECT name FROM pg_available_extensions").fetchall()
    }
    for name, version in here.execute(extensions).fetchall():
        if name in known and known[name] != version:
            yield (
                f"The extension {name} has version {version} at the source and {known[name]} at "
                f"the target: ALTER EXTENSION {name} UPDATE."
            )
        if name not in known and name not in offered:
            yield (
                f"The extension {name} of the source is not installed on the target's server: "
                "install it there."
            )


def _left_behind(here: Session, there: Session, source: Side, target: Side) -> Iterator[str]:
    feed = Feed(source, target)
    if feed.subscribed(there) or being_made(there, target.module):
        return
    if full := rows_there(there, target.module):
        yield (
            f"{', '.join(full)} at {target.alias!r} has rows of {target.module} already, from "
            f"before: `monolift lift {target.module} land` takes them away."
        )


def _drift(here: Session, there: Session, source: Side, target: Side) -> Iterator[str]:
    applied = "SELECT name FROM django_migrations WHERE app = %s"
    rows = {name for (name,) in here.execute(applied, (source.module,)).fetchall()}
    files = {
        name for label, name in MigrationLoader(None).disk_migrations if label == source.module
    }
    if source.is_control and (missing := sorted(files - rows)):
        yield (
            f"Migrations of {source.module} are not applied at {source.alias!r}: "
            f"{', '.join(missing)}. Migrate first."
        )
    if there.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
        return  # nothing is there yet: the copy makes it
    if rows - {name for (name,) in there.execute(applied, (source.module,)).fetchall()}:
        return  # the copy migrates the target
    if differences := drift(here, there, source.module):
        yield (
            f"The tables of {source.module} differ: {'; '.join(differences[:5])}. Migrate both "
            "sides, or change one by hand."
        )
