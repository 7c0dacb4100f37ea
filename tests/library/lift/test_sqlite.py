"""A module between two SQLite files while it is used: nothing fails, is lost, or happens twice."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connections
from django.db.models import F
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from monolift import atomic, use
from monolift.events.worker import work_once
from monolift.lift.movers.sqlite import mover as movers
from monolift.lift.movers.sqlite.compare import Views
from monolift.lift.movers.sqlite.files import opened
from monolift.lift.movers.sqlite.mover import SqliteMover
from monolift.lift.moving import Blocked, GaveUp, Move
from monolift.lift.plan import state
from monolift.lift.plan.stage import Lift
from monolift.lift.plan.stages.seal import Seal
from monolift.registry import sql
from monolift.registry import topology as registry
from monolift.registry.fence import MARK
from monolift.registry.scope import CallKey, Scope, entered
from monolift.registry.topology import topology
from monolift.truth import row
from tests.library.lift.meanwhile import meanwhile
from tests.library.lift.ways import WRITERS, execute, home, left, out
from tests.library.world.stock.interface import Level, Stock
from tests.library.world.stock.models import Item

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@contextmanager
def knowing_nothing() -> Iterator[None]:
    """What this process learns in the block, it forgets: it slept over the move."""
    before = topology()
    yield
    registry.reset()
    registry.install(before)


class Buyers:
    """Hold stock through the interface, and count what they were told."""

    def __init__(self) -> None:
        self.held = 0
        self.errors: list[BaseException] = []
        self.longest = 0.0
        self._lock = threading.Lock()

    def buy(self, end: threading.Event) -> None:
        """One of them, until the end."""
        stock = use(Stock)
        try:
            while not end.is_set():
                began = time.monotonic()
                stock.hold(sku="a", quantity=1)
                with self._lock:
                    self.held += 1
                    self.longest = max(self.longest, time.monotonic() - began)
                time.sleep(0.001)
        except BaseException as error:
            self.errors.append(error)
        finally:
            connections.close_all()


def test_out_and_home_while_it_is_used(lift: Lift) -> None:
    use(Stock).fill(sku="a", quantity=100_000)
    buyers = Buyers()
    with meanwhile(*[buyers.buy] * 4):
        for _ in range(3):
            out(lift)
            assert topology().alias("stock") == "stock"
            home(lift)
            assert topology().alias("stock") == "default"
    assert buyers.errors == []
    assert buyers.held > 0
    assert use(Stock).levels(skus=["a"]) == {
        "a": Level(left=100_000 - buyers.held, held=buyers.held)
    }


def test_the_rows_are_compared_and_equal(lift: Lift) -> None:
    use(Stock).fill(sku="a", quantity=5)
    out(lift)
    compared = state.latest()[0].evidence["seal"]["compared"]
    assert compared["differences"] == []
    assert compared["rows"] >= 2


def test_a_difference_takes_it_back(lift: Lift, monkeypatch: pytest.MonkeyPatch) -> None:
    use(Stock).fill(sku="a", quantity=5)
    carry = movers.Feed.carry

    def forgetful(self: Any, source: Any, target: Any) -> tuple[int, int]:
        done = carry(self, source, target)
        target.execute("UPDATE monolift_coming_stock_item SET left = 4")
        return done

    monkeypatch.setattr(movers.Feed, "carry", forgetful)
    with pytest.raises(Blocked, match=r"rows differed: stock_item: rowid 1"):
        out(lift)
    monkeypatch.undo()
    assert topology().alias("stock") == "default"
    standing = state.current("stock")
    assert standing is not None
    assert standing.evidence["seal differed"]["differences"][0].startswith("stock_item: rowid 1")


def test_what_has_been_compared_is_not_compared_again(lift: Lift) -> None:
    out(lift)
    assert Seal().apply(lift)["compared"]["note"] == "nothing is left to compare"


# Who has not heard of it ----------------------------------------------------------------------


def test_a_stale_reader_hears_of_it(lift: Lift) -> None:
    use(Stock).fill(sku="a", quantity=5)
    with knowing_nothing():
        out(lift)
        use(Stock).hold(sku="a", quantity=2)
    assert topology().alias("stock") == "default"
    assert left() == 3
    assert topology().alias("stock") == "stock"


def test_a_stale_command_is_done_where_the_module_is(lift: Lift) -> None:
    use(Stock).fill(sku="a", quantity=5)
    with knowing_nothing():
        out(lift)
    use(Stock).hold(sku="a", quantity=2)
    assert topology().alias("stock") == "stock"
    assert left() == 3


def test_a_stale_transaction_ends_where_it_began_and_is_refused(lift: Lift) -> None:
    """Half of it here and half of it there is what must not be (R1, R2)."""
    use(Stock).fill(sku="a", quantity=5)
    with knowing_nothing():
        out(lift)
    now = row.apart()
    assert now is not None
    scope = Scope("stock", None, None, "a command", "call")
    with entered(scope), pytest.raises(DatabaseError, match="no such table"), atomic():
        registry.install(registry.topology().moved({}, epoch=now.epoch))
        Item.objects.update(left=F("left") - 1)
    registry.reset()
    assert left() == 5


@pytest.mark.parametrize("writer", list(WRITERS))
def test_every_writer_is_refused_by_the_old_file(lift: Lift, writer: str) -> None:
    use(Stock).fill(sku="a", quantity=5)
    with knowing_nothing():
        out(lift)
    with pytest.raises(DatabaseError, match=f"no such table|{MARK}"):
        WRITERS[writer]()
    registry.reset()
    assert left() == 5


def test_a_worker_with_the_old_topology_loses_nothing(lift: Lift) -> None:
    use(Stock).fill(sku="a", quantity=5)
    with knowing_nothing():
        out(lift)
        for _ in range(3):
            use(Stock).fill(sku="a")
    while work_once("default"):
        pass
    registry.reset()
    while work_once("stock") or work_once("default"):
        pass
    assert _waiting("stock") == _waiting("default") == 0


def _waiting(alias: str) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT COUNT(*) FROM monolift_outbox WHERE relayed_at IS NULL) + "
            "(SELECT COUNT(*) FROM monolift_delivery WHERE state <> 'done')"
        )
        return int(cursor.fetchone()[0])


def test_a_key_gives_its_answer_after_the_move_and_after_the_way_back(lift: Lift) -> None:
    """R14: the answer was lost, the client asks again, and the module has moved meanwhile."""
    use(Stock).fill(sku="a", quantity=5)

    class Same:
        def admit(self, operation: Any) -> CallKey:
            return CallKey("once", repeated=True)

    def hold() -> int:
        scope = Scope(None, None, None, "", "request")
        scope.outgoing, scope.plain = Same(), False
        with entered(scope):
            return use(Stock).hold(sku="a", quantity=1)

    first = hold()
    out(lift)
    assert hold() == first
    home(lift)
    assert hold() == first
    assert left() == 4


def test_numbers_are_not_given_twice(lift: Lift) -> None:
    """R8: also the number of a row that is gone."""
    use(Stock).fill(sku="a", quantity=5)
    last = use(Stock).hold(sku="a", quantity=1)
    use(Stock).give_back(hold=last)
    out(lift)
    assert use(Stock).hold(sku="a", quantity=1) > last


# Changes meanwhile ----------------------------------------------------------------------------

_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["create", "update", "delete", "rekey"]),
        st.sampled_from("abcd"),
        st.integers(0, 9),
    ),
    max_size=12,
)


@hypothesis_settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(before=_CHANGES, meanwhile=_CHANGES, late=_CHANGES)
def test_whatever_changes_while_it_is_copied_arrives(
    file: Path, before: Any, meanwhile: Any, late: Any
) -> None:
    Item.objects.all().delete()
    _change(before)
    mover = SqliteMover(Move(module="stock", source="default", target="stock", budget=5.0))
    mover.drop()
    changes = [meanwhile]
    mover.copy(lambda progress: _change(changes.pop() if changes else []))
    _change(late)
    mover.rehearse()
    expected = _rows(str(connections["default"].settings_dict["NAME"]), "stock_item")
    assert _rows(str(file), "monolift_coming_stock_item") == expected
    mover.drop()


def _change(changes: Any) -> None:
    for what, sku, value in changes:
        match what:
            case "create":
                Item.objects.get_or_create(sku=sku, defaults={"left": value})
            case "update":
                Item.objects.filter(sku=sku).update(left=value)
            case "delete":
                Item.objects.filter(sku=sku).delete()
            case "rekey":
                if not Item.objects.filter(sku=f"{sku}{value}").exists():
                    Item.objects.filter(sku=sku).update(sku=f"{sku}{value}")


def _rows(file: str, table: str) -> list[Any]:
    with opened(file) as link:
        return link.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid").fetchall()


# What is in the way ---------------------------------------------------------------------------


def test_a_fence_that_would_take_too_long_is_given_up(lift: Lift) -> None:
    use(Stock).fill(sku="a", quantity=5)
    mover = SqliteMover(Move(module="stock", source="default", target="stock", budget=0.05))
    mover.copy(lambda progress: None)
    name = connections["default"].settings_dict["NAME"]
    blocker = sqlite3.connect(name, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(GaveUp, match="could not be had"):
            mover.cut_over(lambda: row.change({}))
    finally:
        blocker.close()
    assert topology().alias("stock") == "default"
    use(Stock).hold(sku="a", quantity=1)
    mover.drop()


def test_a_writer_that_comes_between_the_last_round_and_the_end_is_kept_out(
    lift: Lift, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where Django begins its transactions without the write lock, as it does by default."""
    use(Stock).fill(sku="a", quantity=5)
    monkeypatch.delitem(connections["default"].settings_dict["OPTIONS"], "transaction_mode")
    connections["default"].close()
    name = connections["default"].settings_dict["NAME"]
    freeze, refused = Views.freeze, list[str]()

    def late(views: Views) -> None:
        freeze(views)  # nothing that comes later would be compared
        with closing(sqlite3.connect(name, timeout=0, isolation_level=None)) as writer:
            try:
                writer.execute("UPDATE stock_item SET left = 4")
            except sqlite3.OperationalError as error:
                refused.append(str(error))

    monkeypatch.setattr(Views, "freeze", late)
    try:
        out(lift)
        assert left() == 5
    finally:
        connections["default"].close()
    assert refused == ["database is locked"]


def test_two_operators(lift: Lift) -> None:
    standing = state.begin("stock")
    with state.held(standing), pytest.raises(Blocked, match="Somebody works on the lift"):
        out(lift)
    with pytest.raises(Blocked, match="A lift of stock is open"):
        state.begin("stock")


def test_who_was_killed_is_waited_for(lift: Lift) -> None:
    """And what they did to the end, after this one looked, is not done again."""
    seen = state.begin("stock")
    with state.held(replace(seen)) as killed:
        killed.done("assess", {}, of="assess")
    lease = sql.after("default", state.LEASE)
    sql.execute("default", f"UPDATE monolift_lift SET lease_until = {lease}")
    with state.held(seen):
        assert seen.stage == "assess"


def test_what_has_been_ended_is_not_gone_on_with(lift: Lift) -> None:
    seen = state.begin("stock")
    with state.held(replace(seen)) as other:
        other.ends()
    with pytest.raises(Blocked, match="just ended the lift of stock"), state.held(seen):
        pass


def test_what_is_in_the_file_already_is_left_alone(lift: Lift, file: Path) -> None:
    with sqlite3.connect(file) as link:
        link.execute("CREATE TABLE stock_item (sku TEXT)")
    with pytest.raises(Blocked, match="has stock_item already, and no move brought them"):
        out(lift)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("CREATE TABLE stock_odd (id TEXT PRIMARY KEY) WITHOUT ROWID", "is WITHOUT ROWID"),
        ("CREATE VIRTUAL TABLE stock_text USING fts5(body)", "no other table feeds"),
    ],
    ids=["without rowid", "virtual"],
)
def test_tables_that_cannot_be_followed(lift: Lift, statement: str, problem: str) -> None:
    execute(statement)
    try:
        with pytest.raises(Blocked, match=problem):
            out(lift)
    finally:
        execute(f"DROP TABLE {statement.split('TABLE ')[1].split(maxsplit=1)[0]}")
