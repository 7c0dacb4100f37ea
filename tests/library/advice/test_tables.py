"""Deploy logs and lists of incidents: what is in them, and what is wrong with them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from monolift.kernel import clock
from monolift.lift.advice.advice import Outcome
from monolift.lift.advice.delivery import held, quick, spreading
from monolift.lift.advice.material import Material
from monolift.lift.advice.tables import BadTable, read_deploys, read_incidents

type Measured = Callable[..., Material]
KNOWN = ("inventory", "pricing")
DEPLOYS = "modules,merged_at,live_at,outcome,because_of,committed_at,restored_at,notes\n"
INCIDENTS = "module,began_at,ended_at,took_down,kind\n"


def time(*, days_ago: float, hours: float = 0) -> str:
    return (clock.now() - timedelta(days=days_ago) + timedelta(hours=hours)).isoformat()


def deploy(days_ago: float, *, queue: float = 0.5, modules: str = "inventory", **more: str) -> str:
    merged, live = time(days_ago=days_ago), time(days_ago=days_ago, hours=queue)
    values = {"outcome": "ok", "because_of": "", "committed": "", "restored": "", "notes": ""}
    rest = ",".join((values | more).values())
    return f"{modules},{merged},{live},{rest}\n"


@pytest.fixture
def deploys(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str) -> Path:
        file = tmp_path / "deploys.csv"
        file.write_text(DEPLOYS + "".join(lines))
        return file

    return write


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("attic,2026-01-01T10:00Z,,ok,,,,", "there is no module 'attic'; installed: inventory"),
        (",2026-01-01T10:00Z,,ok,,,,", "modules is empty"),
        ("inventory,yesterday,,ok,,,,", "merged_at 'yesterday' is no time such as"),
        ("inventory,2026-01-01T10:00,,ok,,,,", "has no time zone"),
        ("inventory,2026-01-01T10:00Z,2026-01-01T09:00Z,ok,,,,", "live_at is before merged_at"),
        ("inventory,2026-01-01T10:00Z,,fine,,,,", "outcome 'fine' is none of ok, held"),
        ("inventory,2026-01-01T10:00Z,,ok", "there are fewer values than columns"),
        ("inventory,2026-01-01T10:00Z,,ok,,,,,,", "there are more values than columns"),
        ("inventory,,,ok,,,,", "merged_at is empty"),
    ],
    ids=["module", "empty", "time", "zone", "order", "outcome", "fewer", "more", "merged"],
)
def test_a_bad_line_is_named(deploys: Callable[..., Path], line: str, problem: str) -> None:
    file = deploys("inventory,2026-01-01T10:00Z,2026-01-01T11:00Z,ok,,,,\n", line + "\n")
    with pytest.raises(BadTable) as caught:
        read_deploys(file, known=KNOWN)
    assert f"{file}, line 3: " in str(caught.value)
    assert problem in str(caught.value)


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="cannot be read: No such file"):
        read_deploys(tmp_path / "none.csv", known=KNOWN)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("modules,merged_at,größe\n".encode("latin-1"))
    with pytest.raises(BadTable, match="is not UTF-8"):
        read_deploys(latin, known=KNOWN)
    columns = tmp_path / "columns.csv"
    columns.write_text("modules,merged_at\n")
    with pytest.raises(BadTable, match="line 1: there is no column 'live_at'"):
        read_deploys(columns, known=KNOWN)
    quotes = tmp_path / "quotes.csv"
    quotes.write_text(DEPLOYS + '"inventory"x,2026-01-01T10:00Z,,ok,,,,\n')
    with pytest.raises(BadTable, match="is not CSV"):
        read_deploys(quotes, known=KNOWN)
    incidents = tmp_path / "incidents.csv"
    incidents.write_text(INCIDENTS + ",2026-01-01T10:00Z,,,\n")
    with pytest.raises(BadTable, match="line 2: module is empty"):
        read_incidents(incidents, known=KNOWN)


def test_columns_in_any_order_and_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "deploys.csv"
    file.write_text(
        "\ufeffoutcome, because_of ,live_at,merged_at,modules\n"
        "held,pricing,,2026-01-01T10:00:00+02:00,inventory pricing\n",
        encoding="utf-8",
    )
    (found,) = read_deploys(file, known=KNOWN)
    assert (found.modules, found.because_of, found.live_at) == ({*KNOWN}, "pricing", None)
    assert found.lead is None
    assert found.merged_at.utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize(
    ("others", "queue", "outcome"),
    [(1, 0.5, Outcome.FAIL), (2, 0.5, Outcome.PASS), (0, 1.5, Outcome.PASS)],
    ids=["seldom", "held", "queue"],
)
def test_contention(
    measured: Measured,
    deploys: Callable[..., Path],
    others: int,
    queue: float,
    outcome: Outcome,
) -> None:
    lines = [
        deploy(20 - n, queue=queue, outcome="held", because_of="pricing")
        if n < others
        else deploy(20 - n, queue=queue, **({"outcome": "reverted"} if n == 9 else {}))
        for n in range(10)
    ]
    aside = [
        deploy(3, modules="pricing", outcome="held", because_of="inventory"),
        deploy(400, queue=99, outcome="held", because_of="pricing"),
    ]
    material = measured(deploys=deploys(*lines, *aside))
    found = held(material, "inventory")
    assert (found.outcome, f"({others} of 10 deploys)" in found.value) == (outcome, True)
    assert held(material, "pricing").outcome is Outcome.UNKNOWN, "one deploy is too few"
    assert held(measured(), "inventory").outcome is Outcome.UNKNOWN


def test_rapid_deployment(measured: Measured, deploys: Callable[..., Path]) -> None:
    good = [deploy(20 - n) for n in range(10)]
    assert quick(measured(deploys=deploys(*good)), "inventory").outcome is Outcome.PASS
    assert quick(measured(deploys=deploys(*good[1:])), "inventory").outcome is Outcome.UNKNOWN

    def failed(count: int, *, restored: str) -> Material:
        bad = [deploy(3, outcome="failed", restored=restored) for _ in range(count)]
        return measured(deploys=deploys(*good, *bad))

    soon = time(days_ago=3, hours=1)
    assert quick(failed(1, restored=soon), "inventory").outcome is Outcome.PASS
    assert quick(failed(2, restored=soon), "inventory").outcome is Outcome.FAIL
    late = quick(failed(1, restored=time(days_ago=3, hours=3)), "inventory")
    assert (late.outcome, "restored in 2.5 h" in late.value) == (Outcome.FAIL, True)
    unknown = quick(failed(1, restored=""), "inventory")
    assert (unknown.outcome, "restored_at is missing" in unknown.value) == (Outcome.UNKNOWN, True)
    slow = [deploy(20 - n, committed=time(days_ago=22 - n)) for n in range(10)]
    assert quick(measured(deploys=deploys(*slow)), "inventory").outcome is Outcome.FAIL


def test_incidents_that_spread(measured: Measured, tmp_path: Path) -> None:
    file = tmp_path / "incidents.csv"
    began, ended = time(days_ago=20), time(days_ago=20, hours=0.5)
    one = f"inventory,{began},{ended},orders pricing,oom\n"
    aside = (
        f"inventory,{began},{ended},,timeout\n"
        f"inventory,{began},{ended},inventory,timeout\n"
        f"pricing,{began},{ended},inventory,\n"
        f"inventory,{time(days_ago=92)},{time(days_ago=92, hours=1)},orders,oom\n"
    )
    file.write_text(INCIDENTS + one + aside)
    found = spreading(measured(incidents=file), "inventory")
    assert (found.outcome, found.value) == (Outcome.FAIL, "1 incident, 30 min (oom)")
    file.write_text(INCIDENTS + one + one + aside)
    found = spreading(measured(incidents=file), "inventory")
    assert (found.outcome, found.value) == (Outcome.PASS, "2 incidents, 1 h (oom)")
    assert spreading(measured(), "inventory").outcome is Outcome.UNKNOWN
