"""A module between two SQLite files while it is used: nothing fails, is lost, or happens twice."""

import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from django.db import DatabaseError, connections, transaction
from django.db.models import F
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from monolift import atomic, use
from monolift.events.worker import work_once
from monolift.lift.movers.sqlite import mover as movers
from monolift.lift.movers.sqlite.files import opened
from monolift.lift.movers.sqlite.mover import SqliteMover
from monolift.lift.moving import Blocked, GaveUp, Move
from monolift.lift.plan import engine, state
from monolift.lift.plan.stage import Lift, Stage
from monolift.lift.plan.watchdog import watch
from monolift.registry import topology as registry
from monolift.registry.fence import MARK
from monolift.registry.scope import CallKey, Scope, entered
from monolift.registry.topology import topology
from monolift.truth import row
from tests.library.running import eventually
from tests.library.world.stock.interface import Level, Stock
from tests.library.world.stock.models import Item

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

STEP = int(os.environ.get("MONOLIFT_SWEEP_STEP", "16"))
"""Of the writes to files, each so-and-so-manieth is a point to be killed at."""
POINTS = 2000


def quiet(stage: Stage, what: str) -> None:
    """Nobody looks."""


def out(lift: Lift) -> None:
    engine.out(lift, through="seal", report=quiet)


def home(lift: Lift) -> None:
    engine.home(lift, report=quiet)


def left(sku: str = "a") -> int:
    return use(Stock).levels(skus=[sku])[sku].left


@contextmanager
def knowing_nothing() -> Iterator[None]:
    """What this process learns in the block, it forgets: it slept over the move."""
    before = topology()
    yield
    registry.reset()
    registry.install(before)


class Buyers:
    """Threads that hold stock through the interface, and count what they were told."""

    def __init__(self, count: int = 4) -> None:
        self.held = 0
        self.errors: list[BaseException] = []
        self.longest = 0.0
        self._rounds: dict[int, int] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._buy) for _ in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def all_come_again(self) -> None:
        """Wait until each has come by the topology that is in force.

        A call that began before a move must end before the way back: see ADR 0059.
        """
        seen = dict(self._rounds)
        eventually(lambda: all(self._rounds[one] > seen.get(one, 0) + 1 for one in self._rounds))

    def _buy(self) -> None:
        stock = use(Stock)
        me = threading.get_ident()
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                stock.hold(sku="a", quantity=1)
                with self._lock:
                    self.held += 1
                    self._rounds[me] = self._rounds.get(me, 0) + 1
                    self.longest = max(self.longest, time.monotonic() - began)
                time.sleep(0.001)
        except BaseException as error:
            self.errors.append(error)
        finally:
            connections.close_all()


def test_out_and_home_while_it_is_used(lift: Lift) -> None:
    use(Stock).fill(sku="a", quantity=100_000)
    with Buyers() as buyers:
        for _ in range(3):
            out(lift)
            assert topology().alias("stock") == "stock"
            buyers.all_come_again()
            home(lift)
            assert topology().alias("stock") == "default"
            buyers.all_come_again()
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
        target.execute("UPDATE stock_item SET left = 4")
        return done

    monkeypatch.setattr(movers.Feed, "carry", forgetful)
    with pytest.raises(Blocked, match=r"rows differed: stock_item: rowid 1"):
        out(lift)
    monkeypatch.undo()
    assert topology().alias("stock") == "default"


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


def _execute(sql: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(sql)


def _django_atomic() -> None:
    with transaction.atomic(using="default"):
        _execute("DELETE FROM stock_item")


WRITERS: dict[str, Callable[[], object]] = {
    "the ORM, as admin and shell use it": lambda: Item.objects.create(sku="b", left=1),
    "plain SQL": lambda: _execute("UPDATE stock_item SET left = 0"),
    "Django's own atomic": _django_atomic,
    "a delivery": lambda: _execute(
        "INSERT INTO monolift_delivery (module, event, subscriber, publisher, target, name, "
        "number, body, trace, state, attempts, due_at, token, failure, created_at) VALUES "
        "('stock', 'e', 's', 'p', '', 'n', 1, '{}', '', 'pending', 0, '2026', '', '', '2026')"
    ),
    "a key": lambda: _execute(
        "INSERT INTO monolift_key (module, key, operation, fingerprint, state, answer, error, "
        "lease_until, created_at) VALUES ('stock', 'k', '', '', 'done', '', '', '2026', '2026')"
    ),
    "an event": lambda: _execute(
        "INSERT INTO monolift_outbox (module, key, number, event, name, body, trace, cause) "
        "VALUES ('stock', 'k', 1, 'e', 'n', '{}', '', '')"
    ),
    "a saga": lambda: _execute(
        "INSERT INTO monolift_saga (module, id, name, version, key, status, state, progress, "
        "failure, trace, attempts, due_at, token, created_at, updated_at) VALUES "
        "('stock', 'i', 'n', 1, 'k', 'running', '{}', '[]', '', '', 0, '2026', '', '2026', '2026')"
    ),
}


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
    expected = _rows(str(connections["default"].settings_dict["NAME"]))
    assert _rows(str(file)) == expected
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


def _rows(file: str) -> list[Any]:
    with opened(file) as link:
        return link.execute("SELECT rowid, * FROM stock_item ORDER BY rowid").fetchall()


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


def test_two_operators(lift: Lift) -> None:
    standing = state.begin("stock")
    with state.held(standing), pytest.raises(Blocked, match="Somebody works on the lift"):
        out(lift)
    with pytest.raises(Blocked, match="A lift of stock is open"):
        state.begin("stock")


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
    _execute(statement)
    try:
        with pytest.raises(Blocked, match=problem):
            out(lift)
    finally:
        _execute(f"DROP TABLE {statement.split('TABLE ')[1].split(maxsplit=1)[0]}")


# Killed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["out", "home"])
def test_killed_at_a_write_it_ends_in_the_old_or_the_new_state(lift: Lift, way: str) -> None:
    """R16, R17: at each point of the way; what was acknowledged is there, once.

    Homewards there is an instant in which nobody owns the module: then the call waits until the
    watchdog has gone on.
    """
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    use(Stock).fill(sku="a", quantity=10_000)
    held = 0
    for at in range(1, POINTS, STEP):
        if way == "home":
            out_if_not(lift)
        killed = _killed(lambda: (out if way == "out" else home)(lift), at)
        registry.reset()
        with _watched():
            use(Stock).hold(sku="a", quantity=1)
            held += 1
            if not killed:
                break
            eventually(lambda: not state.interrupted(), what="the watchdog has gone on")
        out_if_not(lift)
        if way == "out":
            home(lift)
        assert use(Stock).levels(skus=["a"]) == {"a": Level(left=10_000 - held, held=held)}
    else:
        raise AssertionError("the sweep did not come to the end of the move")
    assert held > 3


@contextmanager
def _watched() -> Iterator[None]:
    """With the watchdog of a worker, and the lease of whoever was killed at its end."""
    _execute("UPDATE monolift_lift SET lease_until = '2000-01-01' WHERE lease_until IS NOT NULL")
    stopping = threading.Event()
    watchdog = threading.Thread(target=watch, args=(stopping,))
    watchdog.start()
    try:
        yield
    finally:
        stopping.set()
        watchdog.join()


def out_if_not(lift: Lift) -> None:
    if topology().alias("stock") != "stock":
        out(lift)


def _killed(work: Callable[[], object], at: int) -> bool:
    """Do it in a child that dies at its `at`-th write to a file; False when it got through."""
    connections.close_all()
    wait, go = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.read(wait, 1)
            work()
            status = 0
        finally:
            os._exit(status)
    kill = f"inject=pwrite64:signal=KILL:when={at}"
    with subprocess.Popen(
        ["strace", "-f", "-p", str(child), "-o", os.devnull, "-e", "trace=pwrite64", "-e", kill],
        stderr=subprocess.PIPE,
        text=True,
    ) as tracer:
        assert tracer.stderr is not None
        assert "attached" in tracer.stderr.readline()
        os.write(go, b"!")
        _, status = os.waitpid(child, 0)
        tracer.stderr.read()
    os.close(wait)
    os.close(go)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child raised"
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
