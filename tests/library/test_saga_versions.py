"""Case B18: a deploy in the middle of a saga. It ends under the class that it began under."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F
from pytest_django import Settings

from monolift import Saga, SagaStatus, atomic, publish, step
from monolift.events.upkeep import look_after
from monolift.kernel import DeclarationError
from monolift.kernel import saga as declarations
from monolift.registry.sql import execute, fetch
from monolift.registry.topology import topology
from monolift.sagas import operate
from monolift.testing.scenario import Scenario
from tests.library.world.sales.events import Shipped
from tests.library.world.sales.models import Sale
from tests.library.world.sales.sagas import Backorder, Booking, BookingInOneGo, Local, Parcel
from tests.library.world.stock import faults
from tests.library.world.stock.interface import Level, Stock
from tests.library.world.stock.models import Hold, Item

pytestmark = pytest.mark.django_db(databases="__all__")

HISTORIES = Path(__file__).parent / "histories"
_KEY_COLUMNS = "module, key, operation, fingerprint, state, answer, error"
_COLUMNS = "module, id, name, version, key, status, state, progress, failure, attempts, waits_for"


def alias() -> str:
    return topology().alias("sales")


def ship(sale: str) -> None:
    with atomic(module="sales"):
        publish(Shipped(sale=sale, parcel="P1"))


def row(key: str) -> tuple[str, str]:
    """Status and failure of a saga."""
    ((status, failure),) = fetch(
        alias(), "SELECT status, failure FROM monolift_saga WHERE key = %s", (key,)
    )
    return status, failure


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a release without the old class, until `undo()`."""
    left = {kind: one for kind, one in declarations._declared.items() if one is not Booking}
    monkeypatch.setattr(declarations, "_declared", left)


def test_a_saga_ends_under_the_version_it_began_under(stock: Stock, scenario: Scenario) -> None:
    old, new = Booking.run(key="1", sale="old"), BookingInOneGo.run(key="2", sale="new")
    assert (old.status, new.status) == (SagaStatus.WAITING, SagaStatus.WAITING)
    ship("old")
    ship("new")
    scenario.run_until_idle()
    assert dict(Sale.objects.values_list("key", "state")) == {"old": "old: P1", "new": "new: P1"}
    assert stock.levels(skus=["a", "b"]) == {
        "a": Level(left=9, held=1),
        "b": Level(left=8, held=2),
    }
    known = BookingInOneGo.find(key="1")
    assert known is not None
    assert type(known.state) is Booking


def test_a_saga_whose_class_is_gone_waits_for_it_and_says_so(
    stock: Stock,
    scenario: Scenario,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Booking.start(key="old", sale="old")
    forget(monkeypatch)
    Local.start(key="another")
    scenario.run_until_idle()
    assert row("another") == ("done", ""), "the rest flows on"
    assert row("old") == ("running", "")
    look_after(alias())
    assert row("old")[1].startswith("sales.booking version 1 is not installed here. Bring its")
    call_command("monolift", "sagas", "list")
    assert "sales.booking version 1 is not installed here" in capsys.readouterr().out
    monkeypatch.undo()
    scenario.travel(minutes=2)
    assert row("old")[0] == "waiting"
    ship("old")
    scenario.run_until_idle()
    assert row("old") == ("done", "")
    assert Sale.objects.get(key="old").state == "old: P1"


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        (
            "state",
            '{"key": "old", "sale": "old", "held": "three"}',
            "does not fit its class here: Expected `int",
        ),
        ("progress", '{"cursor": 1, "marks": {"pack": "done"}}', "has done pack, which its class"),
        ("progress", '{"cursor": 9}', "has done more steps, which its class"),
    ],
)
def test_a_class_that_changed_under_its_version_harms_nothing(
    stock: Stock, scenario: Scenario, column: str, value: str, reason: str
) -> None:
    Booking.start(key="old", sale="old")
    ((kept,),) = fetch(alias(), f"SELECT {column} FROM monolift_saga WHERE key = 'old'")
    execute(alias(), f"UPDATE monolift_saga SET {column} = %s WHERE key = 'old'", (value,))
    Local.start(key="another")
    scenario.run_until_idle()
    assert row("another") == ("done", "")
    status, failure = row("old")
    assert status == "running"
    assert reason in failure
    assert "keep the old one until its last saga has ended" in failure
    execute(alias(), f"UPDATE monolift_saga SET {column} = %s WHERE key = 'old'", (kept,))
    scenario.travel(minutes=2)
    assert row("old")[0] == "waiting"
    assert stock.levels(skus=["a"])["a"] == Level(left=8, held=2)


def test_versions_await_an_event_by_one_field() -> None:
    with pytest.raises(DeclarationError, match="awaits Shipped by 'parcel', version 1"):

        class Other(Saga, version=3, name="sales.booking"):
            parcel: str

            @step(awaits=Shipped, match="parcel")
            def ship(self, event: Shipped) -> None: ...

    declarations._declared.pop(("sales.booking", 3), None)


# Histories ----------------------------------------------------------------------------------------
# Each file is a saga in flight as a release wrote it, with what its steps had done. Whoever changes
# the format of the rows changes how these are read, never the files.


def at_an_open_intent() -> None:
    faults.planned["hold"] = [_time_out]
    Parcel.start(key="1", sale="s1")


def at_a_wait() -> None:
    Parcel.start(key="1", sale="s1")


def on_the_way_back() -> None:
    faults.planned["write_down"] = [_time_out] * 99
    faults.planned["give_back_first"] = [_time_out] * 3
    Local.start(key="1")


def stuck_at_an_undo() -> None:
    faults.planned["write_down"] = [_time_out] * 99
    faults.planned["give_back_first"] = [_time_out] * 99
    Local.start(key="1")


def not_begun() -> None:
    Backorder.start(key="1")


def _time_out() -> None:
    raise TimeoutError("nobody is there")


MOMENTS = {
    "at_an_open_intent": (at_an_open_intent, True, "running", "done", (9, 1)),
    "at_a_wait": (at_a_wait, True, "waiting", "done", (9, 1)),
    "on_the_way_back": (on_the_way_back, True, "undoing", "undone", (10, 0)),
    "stuck_at_an_undo": (stuck_at_an_undo, True, "stuck", "undone", (10, 0)),
    "not_begun": (not_begun, False, "running", "done", (10, 0)),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_history_of_an_earlier_release_is_finished(
    stock: Stock, scenario: Scenario, moment: str, settings: Settings
) -> None:
    begin, begins, status, ends, level = MOMENTS[moment]
    path = HISTORIES / f"{moment}.json"
    if not path.exists():
        settings.MONOLIFT = {**settings.MONOLIFT, "FUSION": False}
        begin()
        while begins:
            scenario.travel(minutes=5)
            begins = row("1")[0] != status
        path.write_text(json.dumps(recorded_now(), indent=2) + "\n")
        pytest.fail(f"{path.name} is recorded: look at it, and keep it.")
    recorded = json.loads(path.read_text())
    load(recorded)
    assert row("1")[0] == status
    if status == "stuck":
        operate.retry(alias(), recorded["saga"]["id"])
    for _ in range(3):
        ship("s1")
        scenario.travel(minutes=5)
    assert row("1")[0] == ends, row("1")
    assert stock.levels(skus=["a"])["a"] == Level(left=level[0], held=level[1])


def recorded_now() -> dict[str, Any]:
    """The saga and what it had done, as rows."""
    (saga,) = fetch(alias(), f"SELECT {_COLUMNS} FROM monolift_saga")
    keys = fetch(topology().alias("stock"), f"SELECT {_KEY_COLUMNS} FROM monolift_key")
    return {
        "saga": dict(zip(_COLUMNS.split(", "), saga, strict=True)),
        "sales": [list(one) for one in Sale.objects.values_list("key", "state")],
        "holds": [list(one) for one in Hold.objects.values_list("pk", "sku", "quantity")],
        "keys": [dict(zip(_KEY_COLUMNS.split(", "), one, strict=True)) for one in keys],
    }


def load(recorded: dict[str, Any]) -> None:
    """Put a recorded saga there, and what it had done. What is due is due now, or never."""
    for key, state in recorded["sales"]:
        Sale.objects.create(key=key, state=state)
    for pk, sku, quantity in recorded["holds"]:
        Hold.objects.create(pk=pk, sku=sku, quantity=quantity)
        Item.objects.filter(sku=sku).update(left=F("left") - quantity)
    never, now = "'9999-01-01 00:00:00+00:00'", "CURRENT_TIMESTAMP"
    saga = recorded["saga"]
    due = never if saga["status"] == "waiting" else now
    insert(alias(), "monolift_saga", saga, trace="''", token="'t'", due_at=due, updated_at=now)
    for one in recorded["keys"]:
        insert(topology().alias("stock"), "monolift_key", one, lease_until=now)


def insert(database: str, table: str, values: dict[str, Any], **expressions: str) -> None:
    """Insert a row of values, and of SQL expressions."""
    expressions |= {"created_at": "CURRENT_TIMESTAMP"}
    places = ", ".join([*["%s"] * len(values), *expressions.values()])
    execute(
        database,
        f"INSERT INTO {table} ({', '.join([*values, *expressions])}) VALUES ({places})",
        tuple(values.values()),
    )
