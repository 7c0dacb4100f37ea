"""Comparing both sides row for row, as they were at one moment.

The moment is inside the fence, when nobody writes; the work is done after it, in transactions that
keep seeing what was there then.

Of each row there is a number of 64 bits, and of each table their sum. The number is the database's
own hash of a record where both servers hash alike, which takes a sixth of the time of the other
way: MD5 of the row as text, which no release of PostgreSQL changes.
"""

import weakref
from collections.abc import Iterator, Mapping, Sequence

from monolift.lift.movers.postgresql.pace import Pace
from monolift.lift.sealing.postgresql.sides import Session, Side
from monolift.lift.sealing.postgresql.tables import PLATFORM, literal, own_tables, quoted

# What a row looks like as text depends on these.
_ALIKE = (
    "SET DateStyle = 'ISO, YMD'",
    "SET TimeZone = 'UTC'",
    "SET IntervalStyle = 'postgres'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'",
)
# One processor, and one side after the other: whoever uses the module meanwhile needs the rest.
# Each piece by its pages: where statistics are old, an index is taken for a shorter way to them.
_GENTLY = (
    "SET max_parallel_workers_per_gather = 0",
    "SET enable_indexscan = off",
    "SET enable_indexonlyscan = off",
    "SET enable_bitmapscan = off",
)
# However long that takes; and the other side's frame waits meanwhile.
_PATIENTLY = ("SET statement_timeout = 0", "SET idle_in_transaction_session_timeout = 0")

# Types whose hash tells all values apart that are not equal; any other one is compared as text.
_HASHED = frozenset({
    "boolean", "smallint", "integer", "bigint", "real", "double precision", "numeric", "uuid",
    "date", "time without time zone", "timestamp without time zone", "timestamp with time zone",
    "bytea", "jsonb",
})  # fmt: skip
# One of each, and a text: a server of another release or another processor may hash otherwise.
_PROBE = """SELECT hashtextextended(hash_record_extended(ROW(
  true, 1::smallint, 2, 3::bigint, 1.5::real, 2.5::double precision, 3.5::numeric,
  '8e3c9d1a-2b4f-4c6d-9e8f-0a1b2c3d4e5f'::uuid, DATE '2000-02-29', TIME '12:30',
  TIMESTAMP '2000-02-29 12:30', TIMESTAMPTZ '2000-02-29 12:30+02', '\\x00ff'::bytea,
  '{"a": [1, "b", null]}'::jsonb, 'a longer text than a word'::text COLLATE "C"), 0)::text, 0)"""

type Columns = Mapping[str, str]
"""The type of each, by its name."""
type Sums = Mapping[str, tuple[int, int]]

_PAGE = 8192
"""Bytes of a page, as PostgreSQL is mostly built."""
_PIECE = 32
"""Pages that are read by one statement."""


def hash_of(columns: Columns) -> str:
    """The number of a row, by the database's hash.

    That of a record is a sum of those of its values, and so would be that of a table, whichever
    rows they are in: it is hashed once more.
    """
    values = ", ".join(
        quoted(name) if kind in _HASHED else f'{quoted(name)}::text COLLATE "C"'
        for name, kind in columns.items()
    )
    return f"hashtextextended(hash_record_extended(ROW({values}), 0)::text, 0)"


def digest_of(columns: Columns) -> str:
    """The number of a row, from its text."""
    row = ", ".join(map(quoted, columns))
    return f"('x' || substr(md5(ROW({row})::text), 1, 16))::bit(64)::bigint"


class Frames:
    """A view of each side that stays as it was when it was taken."""

    def __init__(self, source: Side, target: Side) -> None:
        self._module = source.module
        self._sessions = (source.session(), target.session())
        weakref.finalize(self, _close, self._sessions)
        for session in self._sessions:
            session.execute("; ".join((*_ALIKE, *_GENTLY, *_PATIENTLY)))
        self._columns = self._described(self._sessions[0])
        here, there = (session.execute(_PROBE).fetchone() for session in self._sessions)
        self.number = hash_of if here == there else digest_of

    def take(self) -> None:
        """Now."""
        for session in self._sessions:
            session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1")

    def compare(self) -> list[str]:
        """Where they differ, in words; the frames are gone after it."""
        try:
            one, other = map(self._sums, self._sessions)
            return [
                f"{table}: {one[table][0]} rows at the source, {other[table][0]} at the target"
                + (", with other values" if one[table][0] == other[table][0] else "")
                for table in one
                if one[table] != other[table]
            ]
        finally:
            self.close()

    def close(self) -> None:
        """Give them up."""
        _close(self._sessions)

    def _described(self, session: Session) -> Mapping[str, Columns]:
        found = {}
        for table in (*own_tables(self._module), *PLATFORM):
            described = session.execute(
                "SELECT attname, atttypid::regtype::text FROM pg_attribute WHERE "
                "attrelid = %s::regclass AND attnum > 0 "
                "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
                (quoted(table),),
            ).fetchall()
            left_out = PLATFORM.get(table, ())
            found[table] = {name: kind for name, kind in described if name not in left_out}
        return found

    def _sums(self, session: Session) -> Sums:
        pace = Pace()
        return {table: self._sum(session, table, its, pace) for table, its in self._columns.items()}

    def _sum(self, session: Session, table: str, columns: Columns, pace: Pace) -> tuple[int, int]:
        summing = (
            f"SELECT count(*), coalesce(sum({self.number(columns)}::numeric), 0)::text "
            f"FROM {quoted(table)} WHERE "
        )
        if table in PLATFORM:
            summing += f"module = {literal(self._module)} AND "
        count = total = 0
        for piece in _pieces(session, table):
            [(rows, numbers)] = session.execute(summing + piece).fetchall()
            count, total = count + rows, total + int(numbers)
            pace.keep(_PIECE * _PAGE)
        return count, total


def _pieces(session: Session, table: str) -> Iterator[str]:
    """Conditions, each of which is true of one piece of a table; for a partitioned one, of all.

    What a frame shows lies within the pages that there are after it was taken.
    """
    [(kind, pages)] = session.execute(
        "SELECT relkind::text, pg_relation_size(oid) / current_setting('block_size')::int "
        "FROM pg_class WHERE oid = %s::regclass",
        (quoted(table),),
    ).fetchall()
    if kind == "p":
        yield "true"
        return
    for first in range(0, pages + 1, _PIECE):
        yield f"ctid >= '({first},0)' AND ctid < '({first + _PIECE},0)'"


def _close(sessions: Sequence[Session]) -> None:
    for session in sessions:
        session.close()
