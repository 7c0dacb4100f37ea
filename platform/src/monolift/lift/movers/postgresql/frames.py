"""Comparing both sides row for row, as they were at one moment.

The moment is inside the fence, when nobody writes; the work is done after it, in transactions that
keep seeing what was there then.
"""

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from monolift.lift.sealing.postgresql.sides import Session, Side
from monolift.lift.sealing.postgresql.tables import PLATFORM, own_tables, quoted

# What a row looks like as text depends on these.
_ALIKE = (
    "SET DateStyle = 'ISO, YMD'",
    "SET TimeZone = 'UTC'",
    "SET IntervalStyle = 'postgres'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'",
)
# One processor, and one side after the other: whoever uses the module meanwhile needs the rest.
_GENTLY = "SET max_parallel_workers_per_gather = 0"

type Sums = Mapping[str, tuple[int, str]]


class Frames:
    """A view of each side that stays as it was when it was taken."""

    def __init__(self, source: Side, target: Side) -> None:
        self._module = source.module
        self._sessions = (source.session(), target.session())
        weakref.finalize(self, _close, self._sessions)
        for session in self._sessions:
            session.execute("; ".join((*_ALIKE, _GENTLY)))
        self._columns = self._described(self._sessions[0])

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

    def _described(self, session: Session) -> Mapping[str, Sequence[str]]:
        found = {}
        for table in (*own_tables(self._module), *PLATFORM):
            names = session.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
                (quoted(table),),
            ).fetchall()
            found[table] = [name for (name,) in names if name not in PLATFORM.get(table, ())]
        return found

    def _sums(self, session: Session) -> Sums:
        return {table: self._sum(session, table, names) for table, names in self._columns.items()}

    def _sum(self, session: Session, table: str, names: Sequence[str]) -> tuple[int, str]:
        row = ", ".join(map(quoted, names))
        mine: Sequence[Any] = (self._module,) if table in PLATFORM else ()
        [found] = session.execute(
            "SELECT count(*), coalesce(sum(('x' || substr(md5(ROW(" + row + ")::text), 1, 16))"
            "::bit(64)::bigint::numeric), 0)::text FROM "
            + quoted(table)
            + (" WHERE module = %s" if mine else ""),
            mine or None,
        ).fetchall()
        return int(found[0]), str(found[1])


def _close(sessions: Sequence[Session]) -> None:
    for session in sessions:
        session.close()
