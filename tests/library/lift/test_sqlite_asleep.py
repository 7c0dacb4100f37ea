"""Who began, or slept, before a module left wakes in the middle of its way back."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, connections

from monolift import use
from monolift.kernel.interface import operations_of
from monolift.lift.movers.sqlite.mover import SqliteMover
from monolift.lift.moving import Progress
from monolift.lift.plan.stage import Lift
from monolift.registry import topology as registry
from monolift.registry.fence import MARK
from monolift.registry.topology import topology
from tests.library.lift.ways import WRITERS, home, left, out
from tests.library.running import eventually
from tests.library.world.stock.interface import Level, Stock

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


class Begun[T]:
    """A call in a thread that has chosen the database at home, and says nothing to it yet."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._began, self._goes_on = threading.Event(), threading.Event()
        self._threads = ThreadPoolExecutor(1)
        self._answer = self._threads.submit(self._run, call)
        self._began.wait()

    def _run(self, call: Callable[[], T]) -> T:
        def wait(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            self._began.set()
            self._goes_on.wait()
            return execute(sql, params, many, context)

        try:
            with connections["default"].execute_wrapper(wait):
                return call()
        finally:
            connections.close_all()

    def ends(self) -> T:
        """Let it go on; its answer."""
        self._goes_on.set()
        self._threads.shutdown()
        return self._answer.result()


def test_calls_that_began_before_it_left_go_on_in_the_middle_of_the_copy_home(
    lift: Lift, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They find no table that is half filled, and write into none that nobody owns yet."""
    for operation in operations_of(Stock).values():
        monkeypatch.setattr(operation, "timeout", 60.0)  # two moves of a busy machine
    use(Stock).fill(sku="a", quantity=5)
    use(Stock).hold(sku="a", quantity=1)
    reader = Begun(lambda: use(Stock).levels(skus=["a"]))
    writer = Begun(lambda: use(Stock).hold(sku="a", quantity=1))
    seen: list[Any] = []

    def go_on(progress: Progress) -> None:
        if not seen:  # the holds are copied, the items are not
            seen.append(reader.ends())
            seen.append(writer.ends())

    try:
        out(lift)
        lift.watch = go_on
        home(lift)
    finally:
        reader.ends()
        writer.ends()
    assert topology().alias("stock") == "default"
    assert seen[0] == {"a": Level(left=4, held=1)}
    assert use(Stock).levels(skus=["a"]) == {"a": Level(left=3, held=2)}


@pytest.mark.parametrize("way", ["home", "out"])
def test_a_process_that_slept_since_it_was_there_wakes_in_the_middle_of_the_copy(
    lift: Lift, way: str
) -> None:
    """Both ways: the file of its own was its place before, too."""
    away, back = (out, home) if way == "home" else (home, out)
    use(Stock).fill(sku="a", quantity=5)
    use(Stock).hold(sku="a", quantity=1)
    if way == "out":
        out(lift)
    asleep = topology()
    away(lift)
    seen: list[Any] = []

    def wake(progress: Progress) -> None:
        if not seen:
            for call in (
                lambda: use(Stock).levels(skus=["a"]),
                lambda: use(Stock).hold(sku="a", quantity=1),
            ):
                registry.reset()
                registry.install(asleep)
                seen.append(call())

    lift.watch = wake
    back(lift)
    assert topology().alias("stock") == asleep.alias("stock")
    assert seen[0] == {"a": Level(left=4, held=1)}
    assert use(Stock).levels(skus=["a"]) == {"a": Level(left=3, held=2)}


def test_every_writer_is_refused_in_the_middle_of_the_copy_home(lift: Lift) -> None:
    use(Stock).fill(sku="a", quantity=5)
    use(Stock).hold(sku="a", quantity=1)
    asleep = topology()
    out(lift)
    refused: set[str] = set()

    def write(progress: Progress) -> None:
        for writer in WRITERS.keys() - refused:
            registry.reset()
            registry.install(asleep)
            with pytest.raises(DatabaseError, match=f"no such table|{MARK}"):
                WRITERS[writer]()
            refused.add(writer)
        registry.reset()

    lift.watch = write
    home(lift)
    assert refused == WRITERS.keys()
    assert use(Stock).levels(skus=["a"]) == {"a": Level(left=4, held=1)}


def test_a_call_in_the_instant_in_which_nobody_owns_it_waits(
    lift: Lift, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in a process that has heard of no move for long: the module was away for weeks."""
    use(Stock).fill(sku="a", quantity=5)
    out(lift)
    looked = threading.Event()
    look, opens = registry._renew, SqliteMover._open_at_home
    calls: list[Future[int]] = []

    def looks() -> None:
        assert look is not None
        look()
        looked.set()

    def hold() -> int:
        try:
            return use(Stock).hold(sku="a", quantity=1)
        finally:
            connections.close_all()

    def opens_late(self: SqliteMover, change: Any) -> Any:
        looked.clear()
        calls.append(threads.submit(hold))
        eventually(lambda: looked.is_set() or calls[0].done())
        return opens(self, change)

    monkeypatch.setattr(registry, "_renew", looks)
    monkeypatch.setattr(registry, "_changed", float("-inf"))
    monkeypatch.setattr(SqliteMover, "_open_at_home", opens_late)
    with ThreadPoolExecutor(1) as threads:
        home(lift)
    calls[0].result()
    assert topology().alias("stock") == "default"
    assert left() == 4
