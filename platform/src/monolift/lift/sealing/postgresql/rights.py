"""The statements of a fence and of a module's rights, as text: `--dry-run` prints what is run.

Three things refuse a writer, and each closes what the others leave open:

- the fence, entered by the engine: a lock that a cut-over takes for itself, and then the row that
  says whether the module may be written here. It lets what is under way come to its end.
- `monolift_closed`, a trigger that a cut-over switches on. It raises without reading anything, so
  that a transaction with an old snapshot is refused as well.
- the rights of the role, which a cut-over takes away, reading included.

And `monolift_guard` refuses every other role from the day of the seal, whoever owns the tables:
the admin, a shell, a process that has not heard of the seal. The platform's tables are shared, so
theirs looks at the module of each row.

None of these is seen by what logical replication applies.
"""

from monolift.lift.sealing.postgresql.tables import MARKER, PLATFORM, literal, quoted
from monolift.registry.fence import MARK, SQLSTATE

LOCK_TIMEOUT = 4.0
"""Seconds that a writer waits for a cut-over; longer than the longest one may hold it up."""
_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"
_CLOSED = "monolift_closed"
_GUARD = "monolift_guard"


def lock_key(module: str) -> str:
    """The advisory lock of a module's fence, as an expression."""
    return f"hashtextextended({literal('monolift:' + module)}, 0)"


def functions() -> list[str]:
    """What the engine calls, and what the triggers do.

    The lock and the row are two statements: the second one's snapshot is younger than the wait.
    A transaction with a snapshot of its own would not see that, so it does not come in.
    """
    return [
        f"""CREATE OR REPLACE FUNCTION monolift_fence_enter(wanted text, known bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE fence record;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'monolift: a fence is entered by transactions of READ COMMITTED only'
      USING ERRCODE = 'ML002';
  END IF;
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('monolift:' || wanted, 0));
  SELECT f.open, f.epoch INTO fence FROM monolift_fence f WHERE f.module = wanted;
  IF FOUND AND NOT (fence.open AND known >= fence.epoch) THEN
    RAISE EXCEPTION '{MARK}: % at epoch % (known here: %)', wanted, fence.epoch, known
      USING ERRCODE = '{SQLSTATE}';
  END IF;
END $$""",
        f"""CREATE OR REPLACE FUNCTION monolift_refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '{MARK}: % is not written here by %', TG_TABLE_NAME, current_user
    USING ERRCODE = '{SQLSTATE}';
END $$""",
    ]


def role_exists_not(role: str, password: str) -> list[str]:
    """A role for the module."""
    known = f" PASSWORD {literal(password)}" if password else ""
    return [f"CREATE ROLE {quoted(role)} LOGIN{known}"]


def role_settings(role: str, database: str) -> list[str]:
    """What the role's sessions begin with.

    Read-only, so that nothing is written without a transaction that says so: the engine's do.
    """
    there = f"ALTER ROLE {quoted(role)} IN DATABASE {quoted(database)} SET"
    return [
        f"GRANT {quoted(role)} TO CURRENT_USER",
        f"{there} default_transaction_read_only = 'on'",
        f"{there} lock_timeout = '{int(LOCK_TIMEOUT * 1000)}ms'",
    ]


def way_in(role: str, database: str, schemas: list[str]) -> list[str]:
    """What everybody has, unless somebody has taken it from PUBLIC."""
    names = ", ".join(map(quoted, schemas))
    return [
        f"GRANT CONNECT ON DATABASE {quoted(database)} TO {quoted(role)}",
        f"GRANT USAGE ON SCHEMA {names} TO {quoted(role)}",
        f"GRANT EXECUTE ON FUNCTION monolift_fence_enter(text, bigint) TO {quoted(role)}",
    ]


def marker_table() -> str:
    """What shows that a feed has arrived."""
    return f"CREATE TABLE IF NOT EXISTS {MARKER} (module text PRIMARY KEY, mark text NOT NULL)"


def set_fence(module: str, *, epoch: int | str, is_open: bool) -> str:
    """Open or close a module here, for whoever knows the topology of an epoch, or a later one.

    It follows the truth row, also back: where a cut-over closed a side and did not come about, the
    epoch that it would have begun is nobody's.
    """
    return (
        f"INSERT INTO monolift_fence (module, epoch, open) VALUES ({literal(module)}, {epoch}, "
        f"{str(is_open).lower()}) ON CONFLICT (module) DO UPDATE SET open = excluded.open, "
        "epoch = excluded.epoch"
    )


def grant(role: str, tables: list[str], sequences: list[str]) -> list[str]:
    """Let the role work on the module's tables, and on its rows of the platform's."""
    everything = ", ".join(quoted(name) for name in [*tables, *PLATFORM])
    numbers = ", ".join(sequences)
    return [
        f"GRANT {_RIGHTS} ON {everything} TO {quoted(role)}",
        f"GRANT SELECT ON monolift_fence TO {quoted(role)}",
        *([f"GRANT USAGE, SELECT ON SEQUENCE {numbers} TO {quoted(role)}"] if numbers else []),
    ]


def revoke(role: str, tables: list[str], sequences: list[str]) -> list[str]:
    """Let the role neither write nor read any more. The fence itself stays readable."""
    everything = ", ".join(quoted(name) for name in [*tables, *PLATFORM])
    numbers = ", ".join(sequences)
    return [
        f"REVOKE ALL ON {everything} FROM {quoted(role)}",
        *([f"REVOKE ALL ON SEQUENCE {numbers} FROM {quoted(role)}"] if numbers else []),
    ]


def row_rights(module: str, role: str) -> list[str]:
    """Of the platform's tables the role sees the module's rows only; others see what they did.

    One statement for each table, so that modules that are sealed already never see it half done;
    and what is there as it must be is not made anew: that would wait for all who read the table.
    """
    return [_row_rights(table, module, role) for table in PLATFORM]


def _row_rights(table: str, module: str, role: str) -> str:
    name = f"monolift_{module}"
    mine = f"(module = {literal(module)})"
    there = f"SELECT FROM pg_policy WHERE polrelid = {literal(table)}::regclass AND polname ="
    to_role = f"ARRAY[{literal(quoted(role))}::regrole::oid]"
    return f"""DO $$ BEGIN
  IF NOT EXISTS ({there} 'monolift_everyone') THEN
    CREATE POLICY monolift_everyone ON {table} USING (true) WITH CHECK (true);
  END IF;
  IF NOT EXISTS ({there} {literal(name)} AND polroles = {to_role}) THEN
    DROP POLICY IF EXISTS {quoted(name)} ON {table};
    CREATE POLICY {quoted(name)} ON {table} AS RESTRICTIVE TO {quoted(role)}
      USING {mine} WITH CHECK {mine};
  END IF;
  IF NOT (SELECT relrowsecurity FROM pg_class WHERE oid = {literal(table)}::regclass) THEN
    ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
  END IF;
END $$"""


def lock_tables(tables: list[str]) -> str:
    """Wait for who writes now, and let nobody begin: what a trigger needs anyway, all at once."""
    names = ", ".join(quoted(name) for name in tables)
    return f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"


def triggers(module: str, role: str, tables: list[str]) -> list[str]:
    """Refuse every role but the module's; and, switched off yet, every role."""
    stranger = f"current_user <> {literal(role)}"
    made = []
    for table in map(quoted, tables):
        every = f"BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT"
        made += [
            f"DROP TRIGGER IF EXISTS {_GUARD} ON {table}",
            f"CREATE TRIGGER {_GUARD} {every} WHEN ({stranger}) EXECUTE FUNCTION monolift_refuse()",
            f"DROP TRIGGER IF EXISTS {_CLOSED} ON {table}",
            f"CREATE TRIGGER {_CLOSED} {every} EXECUTE FUNCTION monolift_refuse()",
            f"ALTER TABLE {table} DISABLE TRIGGER {_CLOSED}",
        ]
    for table in PLATFORM:
        for name, event, row in _of_rows(module):
            made += [
                f"DROP TRIGGER IF EXISTS {name} ON {table}",
                (
                    f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW "
                    f"WHEN ({row}.module = {literal(module)} AND {stranger}) "
                    "EXECUTE FUNCTION monolift_refuse()"
                ),
            ]
    return made


def no_triggers(module: str, tables: list[str]) -> list[str]:
    """The reverse."""
    own = [
        f"DROP TRIGGER IF EXISTS {name} ON {quoted(table)}"
        for table in tables
        for name in (_GUARD, _CLOSED)
    ]
    return own + [
        f"DROP TRIGGER IF EXISTS {name} ON {table}"
        for table in PLATFORM
        for name, _, _ in _of_rows(module)
    ]


def _of_rows(module: str) -> list[tuple[str, str, str]]:
    return [
        (quoted(f"{_GUARD}_{module}"), "INSERT OR UPDATE", "NEW"),
        (quoted(f"{_GUARD}_{module}_gone"), "DELETE", "OLD"),
    ]


def switch(tables: list[str], *, on: bool) -> list[str]:
    """The trigger that refuses everybody, on or off."""
    state = "ENABLE" if on else "DISABLE"
    return [f"ALTER TABLE {quoted(table)} {state} TRIGGER {_CLOSED}" for table in tables]


def close_statements(role: str, tables: list[str], sequences: list[str]) -> list[str]:
    """Refuse everybody. The row of the fence comes with it, in the same commit."""
    return [
        *switch(tables, on=True),
        *revoke(role, tables, sequences),
    ]


def open_statements(role: str, tables: list[str], sequences: list[str]) -> list[str]:
    """Let the module's role in again."""
    return [
        *switch(tables, on=False),
        *grant(role, tables, sequences),
    ]


def end_leases(module: str, role: str) -> list[str]:
    """What was under way at the old place is nobody's now: the new one may take it at once."""
    mine = f"module = {literal(module)}"
    return [
        f"SET LOCAL ROLE {quoted(role)}",
        (
            "UPDATE monolift_delivery SET lease_until = NULL, token = '' "
            f"WHERE {mine} AND state = 'pending' AND lease_until IS NOT NULL"
        ),
        (
            "UPDATE monolift_saga SET lease_until = NULL, token = '' "
            f"WHERE {mine} AND status IN ('running', 'undoing', 'waiting') "
            "AND lease_until IS NOT NULL"
        ),
        (
            "UPDATE monolift_key SET lease_until = statement_timestamp() "
            f"WHERE {mine} AND state = 'started' AND lease_until > statement_timestamp()"
        ),
        "RESET ROLE",
    ]


def clear_rows(module: str, role: str, tables: list[str]) -> list[str]:
    """Take a copy's rows away again."""
    mine = f"module = {literal(module)}"
    off = [f"ALTER TABLE {quoted(table)} DISABLE TRIGGER USER" for table in tables]
    on = [f"ALTER TABLE {quoted(table)} ENABLE TRIGGER USER" for table in tables]
    names = ", ".join(quoted(table) for table in tables)
    return [
        *off,
        *([f"TRUNCATE {names}"] if tables else []),
        *on,
        f"DELETE FROM {MARKER} WHERE {mine}",
        *(f"GRANT {_RIGHTS} ON {table} TO {quoted(role)}" for table in PLATFORM),
        f"SET LOCAL ROLE {quoted(role)}",
        *(f"DELETE FROM {table} WHERE {mine}" for table in PLATFORM),
        "RESET ROLE",
        *(f"REVOKE ALL ON {table} FROM {quoted(role)}" for table in PLATFORM),
    ]
