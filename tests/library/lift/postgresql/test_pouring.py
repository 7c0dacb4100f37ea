"""Rows that go from one COPY into another: all of them, or none and the reason."""

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import errors
from psycopg.pq import TransactionStatus

from monolift.lift.movers.postgresql import frames
from monolift.lift.movers.postgresql.frames import _pieces
from monolift.lift.movers.postgresql.pace import Pace
from monolift.lift.movers.postgresql.pouring import pour
from tests.library.lift.postgresql.places import Places

# Some rows are larger than a piece, most are many to one, and some are empty.
ROWS = """INSERT INTO poured SELECT n, repeat(chr(48 + n % 70), CASE WHEN n % 997 = 0 THEN 300000
  WHEN n % 3 = 0 THEN 0 ELSE n % 90 END) FROM generate_series(1, 5000) n"""
SUM = "SELECT count(*), md5(string_agg(md5(ROW(p)::text), '' ORDER BY id)) FROM poured p"
BINARY = "(FORMAT binary)"
INTO = f"COPY poured FROM STDIN {BINARY}"
TABLE = "CREATE TABLE poured (id int PRIMARY KEY, text text)"


@pytest.fixture
def sides(world: Places) -> Iterator[tuple[Any, Any]]:
    with world.session() as here, world.session("stock_away") as there:
        here.execute(TABLE)
        there.execute(TABLE)
        here.execute(ROWS)
        yield here, there


def poured(here: Any, there: Any, chosen: str = "SELECT * FROM poured") -> int:
    return sum(pour(here, f"COPY ({chosen}) TO STDOUT {BINARY}", there, INTO, pace=Pace()))


def test_all_rows_come_whatever_their_size(sides: tuple[Any, Any]) -> None:
    here, there = sides
    assert poured(here, there) > 5000  # with the format's head and foot
    assert there.execute(SUM).fetchone() == here.execute(SUM).fetchone()


class Told(Pace):
    """Counts what it is told of."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def keep(self, size: int) -> None:
        self.sizes.append(size)


def test_the_pace_is_told_of_each_byte(sides: tuple[Any, Any]) -> None:
    here, there = sides
    told = Told()
    for _ in pour(here, f"COPY poured TO STDOUT {BINARY}", there, INTO, pace=told):
        pass
    [(size,)] = here.execute("SELECT sum(4 + octet_length(text)) FROM poured").fetchall()
    assert size < sum(told.sizes) < 1.2 * size
    assert max(told.sizes) < 500_000


def test_one_that_is_given_up_leaves_both_sides_free(sides: tuple[Any, Any]) -> None:
    here, there = sides
    rows = pour(here, f"COPY poured TO STDOUT {BINARY}", there, INTO, pace=Pace())
    with pytest.raises(KeyboardInterrupt), there.transaction():
        for _ in rows:
            rows.throw(KeyboardInterrupt)
    for session in sides:
        assert session.info.transaction_status == TransactionStatus.IDLE
    assert there.execute("SELECT count(*) FROM poured").fetchone() == (0,)


def test_no_rows_are_no_error(sides: tuple[Any, Any]) -> None:
    here, there = sides
    poured(here, there, "SELECT * FROM poured WHERE false")
    assert there.execute("SELECT count(*) FROM poured").fetchone() == (0,)


def test_an_error_where_they_come_from_is_told(sides: tuple[Any, Any]) -> None:
    here, there = sides
    with pytest.raises(errors.DivisionByZero), there.transaction():
        poured(here, there, "SELECT id, (1 / (4000 - id))::text FROM poured")
    for session in sides:
        assert session.info.transaction_status == TransactionStatus.IDLE
    assert there.execute("SELECT count(*) FROM poured").fetchone() == (0,)
    assert here.execute("SELECT count(*) FROM poured").fetchone() == (5000,)


def test_an_error_where_they_go_to_is_told(sides: tuple[Any, Any]) -> None:
    here, there = sides
    there.execute("INSERT INTO poured VALUES (4321, 'there before')")
    with pytest.raises(errors.UniqueViolation, match="4321"), there.transaction():
        poured(here, there)
    assert there.execute("SELECT count(*) FROM poured").fetchone() == (1,)


@pytest.mark.parametrize("side", [0, 1])
def test_a_side_that_is_ended_is_told(sides: tuple[Any, Any], side: int, world: Places) -> None:
    pid = sides[side].info.backend_pid
    slow = "SELECT id, text || pg_sleep(0.002)::text FROM poured"
    rows = pour(sides[0], f"COPY ({slow}) TO STDOUT {BINARY}", sides[1], INTO, pace=Pace())
    next(rows)
    world.ask(f"SELECT pg_terminate_backend({pid})")
    with pytest.raises(errors.OperationalError):
        list(rows)


def test_the_pieces_of_a_table_are_the_table(
    sides: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "_PIECE", 3)
    here, _ = sides
    here.execute("DELETE FROM poured WHERE id % 5 = 0")
    found: list[int] = []
    pieces = list(_pieces(here, "poured"))
    for piece in pieces:
        found += [one for (one,) in here.execute(f"SELECT id FROM poured WHERE {piece}").fetchall()]
    assert len(pieces) > 5
    assert sorted(found) == [number for number in range(1, 5001) if number % 5]


def test_a_partitioned_table_is_one_piece(
    sides: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "_PIECE", 1)
    here, _ = sides
    here.execute("CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    here.execute("CREATE TABLE part PARTITION OF parted FOR VALUES FROM (1) TO (9999)")
    here.execute("INSERT INTO parted SELECT generate_series(1, 5000)")
    [piece] = _pieces(here, "parted")
    assert here.execute(f"SELECT count(*) FROM parted WHERE {piece}").fetchone() == (5000,)
