"""Sealing a module: from then on its tables are written by its own role only, through the fence.

The tables stay where they are, so there is nothing to lose and nothing to copy; whoever still goes
by the default alias is refused, looks at the topology, and comes by the module's own.
"""

from collections.abc import Callable, Iterable
from contextlib import closing

import psycopg
from django.db import connections
from psycopg import errors

from monolift.lift.moving import Blocked, Evidence
from monolift.lift.sealing.postgresql import rights
from monolift.lift.sealing.postgresql.locks import TableLocks, lock_order
from monolift.lift.sealing.postgresql.sides import Session, Side
from monolift.lift.sealing.postgresql.tables import PLATFORM, own_tables, owned_sequences, quoted
from monolift.lift.sealing.postgresql.tries import PATIENCE, again
from monolift.registry.databases import own_module
from monolift.registry.places import DEFAULT_ALIAS
from monolift.truth import row
from monolift.truth.document import Document

ENGINE = "monolift.db.postgresql"


class PostgresSeal:
    """Puts a module behind an alias of its own on the default database, and takes it back."""

    def __init__(self, *, module: str, alias: str) -> None:
        self.module = module
        self.side = Side(module, alias)
        self.tables = own_tables(module)

    def obstacles(self) -> list[str]:
        """What keeps the module from being sealed: each names the thing and the way out."""
        alias, module = self.side.alias, self.module
        where = f"DATABASES[{alias!r}]"
        found = []
        if own_module(alias) != module:
            found.append(
                f'{where} is not for {module}: give it "MONOLIFT": {{"module": "{module}"}}.'
            )
        if connections.settings[alias]["ENGINE"] != ENGINE:
            found.append(f"{where} has no fence: its ENGINE must be {ENGINE!r}.")
        if not self.side.is_control:
            found.append(
                f"{where} is another database than DATABASES['default']: a seal moves no rows. "
                "Give it the same NAME, HOST and PORT, and a USER of its own."
            )
        if not self.side.role or self.side.role == connections.settings[DEFAULT_ALIAS]["USER"]:
            found.append(
                f"{where} has the USER of the default alias: give it one of its own, for example "
                f"monolift_{module}. Rights cannot be taken away from who owns the tables."
            )
        return found or owner_obstacles(self.side, self.tables)

    def statements(self) -> list[str]:
        """What `apply` runs, in order; passwords are left out."""
        with self.side.connected() as session:
            return [
                *self._before(session, password="..."),  # noqa: S106 - left out
                rights.lock_tables(lock_order(self.tables)),
                *rights.triggers(self.module, self.side.role, self.tables),
            ]

    def apply(self, change: Callable[[], Document]) -> Evidence:
        """Make the role and its fence, and move the module to its alias in the commit that locks
        everybody else out. Raises Blocked, GaveUp. Can be repeated.
        """
        if found := self.obstacles():
            raise Blocked(" ".join(found))
        make_rights(self.side, self.tables, is_open=True)
        again(lambda: try_role(self.side, self.tables), what=f"Trying {self.side.role}")

        locks = TableLocks(self.tables)

        def locked() -> Document:
            with self.side.transaction() as session:
                locks.take(session)
                run(session, rights.triggers(self.module, self.side.role, self.tables))
                return change()

        document = again(locked, what=f"Sealing {self.module}")
        return {"epoch": document.epoch, "tables": self.tables, "role": self.side.role}

    def undo(self, change: Callable[[], Document]) -> Evidence:
        """Back to the default alias: the triggers and the rights go, the fence stays closed.

        What is under way goes on at once: who holds it may be a process that has to let go of the
        module, and can write nothing down any more.
        """
        with self.side.connected() as session:
            sequences = [name for _, _, name in owned_sequences(session, self.tables)]

        locks = TableLocks(self.tables)

        def locked() -> Document:
            with self.side.transaction() as session:
                locks.take(session)
                run(session, rights.end_leases(self.module, self.side.role))
                run(session, rights.no_triggers(self.module, self.tables))
                run(session, rights.revoke(self.side.role, self.tables, sequences))
                document = change()
                epoch = document.epoch
                run(session, [rights.set_fence(self.module, epoch=epoch, is_open=False)])
                return document

        document = again(locked, what=f"Taking the seal of {self.module} away")
        return {"epoch": document.epoch}

    def _before(self, session: Session, *, password: str) -> list[str]:
        return rights_of(session, self.side, self.tables, password=password, is_open=True)


def rights_of(
    session: Session,
    side: Side,
    tables: list[str],
    *,
    password: str,
    is_open: bool,
) -> list[str]:
    """All that a module's role needs in a database, but for the triggers."""
    sequences = [name for _, _, name in owned_sequences(session, tables)]
    there = session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (side.role,)).fetchone()
    epoch = row.epoch(connections[DEFAULT_ALIAS])
    return [
        *([] if there else rights.role_exists_not(side.role, password)),
        *rights.role_settings(side.role, side.database),
        *rights.functions(),
        *rights.way_in(side.role, side.database, _schemas(session, [*tables, *PLATFORM])),
        rights.marker_table(),
        rights.set_fence(side.module, epoch=epoch, is_open=is_open),
        f"GRANT SELECT ON monolift_fence TO {quoted(side.role)}",
        *(rights.grant(side.role, tables, sequences) if is_open else []),
        *rights.row_rights(side.module, side.role),
    ]


def make_rights(side: Side, tables: list[str], *, is_open: bool) -> None:
    """Give them: each statement by itself, with short waits for locks. Can be repeated."""
    with side.connected() as session:
        session.execute("SET lock_timeout = '100ms'")
        password = str(connections.settings[side.alias]["PASSWORD"] or "")
        for statement in rights_of(session, side, tables, password=password, is_open=is_open):
            again(
                lambda text=statement: session.execute(text),  # type: ignore[misc]  # bound at once
                what=f"Giving {side.role} its rights",
            )


def try_role(side: Side, tables: list[str]) -> None:
    """Come in as the module's role, as its calls will, and look at each table. Raises Blocked."""
    try:
        session = side.as_module()
    except psycopg.OperationalError as error:
        raise Blocked(
            f"{side.role!r} cannot connect to {side.alias!r}: {_line(error)}. Look at USER and "
            "PASSWORD there: of a role that was there before, they are not changed (ALTER ROLE "
            "... LOGIN PASSWORD ...)."
        ) from error
    with closing(session):
        try:
            session.execute(f"SET lock_timeout = '{int(PATIENCE * 1000)}ms'")
            for table in (*tables, *PLATFORM):
                session.execute(f"SELECT FROM {quoted(table)} LIMIT 0")
            epoch = row.epoch(connections[DEFAULT_ALIAS])
            session.execute("SELECT monolift_fence_enter(%s, %s)", (side.module, epoch))
        except errors.LockNotAvailable:
            raise  # it is tried again
        except psycopg.Error as error:
            raise Blocked(
                f"{side.role!r} cannot work at {side.alias!r}: {str(error).splitlines()[0]}. Give "
                "it the same search_path as the owner of the tables, and what else it says."
            ) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).removesuffix(".")


def run(session: Session, statements: Iterable[str]) -> None:
    """Run statements in the open transaction, in one message."""
    text = "; ".join(statements)
    if text:
        session.execute(text)


def owner_obstacles(side: Side, tables: list[str]) -> list[str]:
    """What is wrong with the role, or with who is to give it its rights."""
    with side.connected() as session:
        found = session.execute(
            "SELECT rolsuper, rolbypassrls, pg_has_role(rolname, owner, 'MEMBER') FROM pg_roles, "
            "(SELECT current_user AS owner) me WHERE rolname = %s",
            (side.role,),
        ).fetchone()
        owned = session.execute(
            "SELECT relname FROM pg_class WHERE oid = ANY(%s::regclass[]) "
            "AND pg_get_userbyid(relowner) = %s",
            (_existing(session, [*tables, *PLATFORM]), side.role),
        ).fetchall()
    role = f"The role {side.role!r} of DATABASES[{side.alias!r}]"
    problems = []
    if found and found[0]:
        problems.append(f"{role} is a superuser: no fence holds it. ALTER ROLE ... NOSUPERUSER.")
    if found and found[1]:
        problems.append(f"{role} passes over row rights: ALTER ROLE ... NOBYPASSRLS.")
    if found and not found[0] and found[2]:
        problems.append(
            f"{role} is a member of the role that owns the tables: REVOKE that, its rights cannot "
            "be taken away."
        )
    if owned:
        names = ", ".join(name for (name,) in owned)
        problems.append(
            f"{role} owns {names}: rights cannot be taken away from an owner. "
            "ALTER TABLE ... OWNER TO the role that migrates."
        )
    return problems


def _schemas(session: Session, tables: list[str]) -> list[str]:
    found = session.execute(
        "SELECT DISTINCT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE c.oid = ANY(%s::regclass[]) ORDER BY 1",
        ([quoted(table) for table in tables],),
    )
    return [name for (name,) in found.fetchall()]


def _existing(session: Session, tables: Iterable[str]) -> list[str]:
    found = []
    for table in tables:
        one = session.execute("SELECT to_regclass(%s)::text", (quoted(table),)).fetchone()
        if one and one[0]:
            found.append(one[0])
    return found
