"""Comparing two databases row for row: each difference is found, by either way of counting."""

from collections.abc import Callable

import pytest

from monolift import use
from monolift.lift.movers.postgresql import frames
from monolift.lift.movers.postgresql.frames import Columns, Frames, digest_of, hash_of
from monolift.lift.movers.postgresql.pace import Pace
from monolift.lift.sealing.postgresql.tables import PLATFORM
from tests.library.lift.postgresql.places import Places
from tests.library.world.stock.interface import Stock

WAYS = pytest.mark.parametrize("number", [hash_of, digest_of], ids=["hash", "digest"])

VALUES = {
    "boolean": ("true", "false"),
    "smallint": ("1", "2"),
    "integer": ("1", "-1"),
    "bigint": ("1", "4294967297"),
    "real": ("1.5", "1.25"),
    "double precision": ("0.1", "0.10000000000000002"),
    "numeric": ("12.50", "12.51"),
    "uuid": (
        "'8e3c9d1a-2b4f-4c6d-9e8f-0a1b2c3d4e5f'",
        "'8e3c9d1a-2b4f-4c6d-9e8f-0a1b2c3d4e5e'",
    ),
    "date": ("'2000-02-28'", "'2000-02-29'"),
    "time without time zone": ("'12:30'", "'12:30:00.000001'"),
    "timestamp without time zone": ("'2000-01-01'", "'2000-01-01 00:00:00.000001'"),
    "timestamp with time zone": ("'2000-01-01 00:00+00'", "'2000-01-01 00:00+01'"),
    "interval": ("'1 day'", "'24 hours'"),
    "bytea": (r"'\x00'", r"'\x0000'"),
    "jsonb": ("""'{"a": 1}'""", """'{"a": 2}'"""),
    "json": ("""'{"a": 1}'""", """'{"a":1}'"""),
    "text": ("''", "' '"),
    "character varying": ("'a'", "'A'"),
    "integer[]": ("'{1,2}'", "'{2,1}'"),
    "inet": ("'127.0.0.1'", "'127.0.0.2'"),
}


def total(world: Places, number: Callable[[Columns], str], kind: str, values: list[str]) -> str:
    rows = ", ".join(f"({place}, {value}::{kind})" for place, value in enumerate(values))
    columns = {"place": "integer", "value": kind}
    [[found]] = world.ask(
        f"SELECT sum({number(columns)}::numeric)::text FROM (VALUES {rows}) AS t(place, value)"
    )
    return str(found)


@WAYS
@pytest.mark.parametrize("kind", VALUES)
def test_each_value_counts_and_so_does_its_row(
    world: Places, number: Callable[[Columns], str], kind: str
) -> None:
    one, other = VALUES[kind]
    many = [
        total(world, number, kind, values)
        for values in ([one, other], [other, one], [one, one], [other, other], ["NULL", one])
    ]
    assert len(set(many)) == len(many)
    assert many[0] == total(world, number, kind, [one, other])


@WAYS
def test_what_was_spoiled_at_the_target_is_found(
    world: Places, number: Callable[[Columns], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values that have changed places between two rows are there all the same."""
    if number is digest_of:  # as with a server that hashes otherwise
        monkeypatch.setattr(frames, "_PROBE", "SELECT current_database()")
    for sku in ("a", "b"):
        use(Stock).fill(sku=sku)
    use(Stock).fill(sku="b")
    world.sealed()
    mover = world.mover()
    mover.copy(lambda _: None)

    def differences() -> list[str]:
        compared = Frames(mover.source, mover.target)
        assert compared.number is number
        compared.take()
        return compared.compare()

    assert differences() == []
    world.do('SET session_replication_role = replica; UPDATE stock_item SET "left" = 30 - "left"',
             "stock_away")  # fmt: skip
    assert differences() == ["stock_item: 2 rows at the source, 2 at the target, with other values"]


def test_what_is_compared_is_paced(world: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(Pace, "keep", lambda _, size: told.append(size))
    use(Stock).fill(sku="a")
    world.sealed()
    mover = world.mover()
    mover.copy(lambda _: None)
    copied = len(told)
    compared = Frames(mover.source, mover.target)
    compared.take()
    assert compared.compare() == []
    assert copied >= 1
    assert len(told) >= copied + 2 * len(PLATFORM) + 2
