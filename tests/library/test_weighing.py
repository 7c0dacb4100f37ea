"""Requests that are weighed: what is counted of them, and that nothing else changes."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextvars import copy_context
from pathlib import Path
from time import thread_time
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from monolift import override, use
from monolift.observe import ledger, seen
from monolift.observe.seen import Counted, Seen, Talk, Weighed
from monolift.observe.trace import Trace
from monolift.observe.weighing import weighed
from monolift.registry.scope import Scope
from monolift.testing.transports import transported
from tests.library.running import ROOT, environment
from tests.library.world.sales.sagas import Local
from tests.library.world.stock.interface import Level, SoldOut, Stock
from tests.library.world.stock.services import StockService

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(autouse=True)
def every_request(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.MONOLIFT = {**settings.MONOLIFT, "WEIGH": 1, "DATA": tmp_path}
    ledger.clear()
    yield
    ledger.clear()


def request(name: str = "GET /", *, trace: str = "0" * 31 + "1", kind: str = "request") -> weighed:
    scope = Scope(None, None, None)
    scope.kind, scope.operation = kind, name
    scope.trace = Trace(trace, "1" * 16, False, "test")
    return weighed(scope)


def written() -> Seen:
    ledger.write(last=True)
    return seen.read()


@pytest.mark.parametrize("transport", ["local", "loopback"])
def test_calls_lines_and_bytes_of_a_request(stock: Stock, transport: str) -> None:
    with transported(transport):
        with request("GET /basket"):
            for sku in ("a", "b", "a"):
                stock.levels(skus=[sku])
        with request("GET /"):
            stock.levels(skus=["a"])
        stock.levels(skus=["in no request"])
    found = written()
    assert found.requests == 2
    assert found.modules["stock"].calls == {3: 1, 1: 1}
    assert found.talk["stock.levels"].calls == 4
    loop, single = sorted(found.lines, key=lambda line: -line.most)
    assert (loop.most, loop.example, single.most) == (3, "GET /basket", 1)
    text = Path(__file__).read_text().splitlines()
    number = 1 + text.index("                stock.levels(skus=[sku])")
    assert loop.place == f"tests/library/test_weighing.py:{number}"
    # {"skus":["a"]} and {"a":{"left":10,"held":0}}: between 33 and 64 bytes
    assert found.talk["stock.levels"].bytes == {6: 4}
    counted = next(one for one in found.counted if one.operation == "stock.levels")
    assert counted.calls >= 5, "the matrix counts what is not weighed too"


class Busy(StockService):
    """Stock that keeps the processor busy, and asks stock again."""

    def levels(self, *, skus: Sequence[str]) -> Mapping[str, Level]:
        if list(skus) == ["deep"]:
            return {}
        use(Stock).levels(skus=["deep"])
        end = thread_time() + 0.05
        while thread_time() < end:
            pass
        return {}


def test_cpu_is_that_of_the_module_itself() -> None:
    with transported("local"), override(Stock, Busy()), request():
        use(Stock).levels(skus=["a"])
    found = written()
    assert found.modules["stock"].cpu >= 0.05
    outside = found.cpu - found.modules["stock"].cpu
    assert 0 <= outside < found.cpu
    assert found.talk["stock.levels"].cpu == pytest.approx(found.modules["stock"].cpu)
    assert sum(found.modules["stock"].buckets.values()) == pytest.approx(found.modules["stock"].cpu)


def test_what_a_thread_of_the_request_asks_belongs_to_it(stock: Stock) -> None:
    with override(Stock, Busy()), request():
        context = copy_context()
        thread = threading.Thread(
            target=lambda: context.run(lambda: use(Stock).levels(skus=["deep"]))
        )
        thread.start()
        thread.join()
    assert written().modules["stock"].calls == {1: 1}


def test_errors_pass_and_are_weighed(stock: Stock) -> None:
    with request(), pytest.raises(SoldOut):
        stock.hold(sku="a", quantity=11)
    found = written()
    assert found.modules["stock"].calls == {1: 1}
    assert found.talk["stock.hold"].bytes == {}
    assert stock.levels(skus=["a"])["a"].held == 0


def test_commands_to_two_modules_are_told_but_not_those_of_a_saga(stock: Stock) -> None:
    from tests.library.world.cards.interface import Cards

    with request("POST /buy"):
        stock.hold(sku="a", quantity=1)
        use(Cards).authorise(card="good", amount=1)
    with request("POST /saga"):
        Local.run(key="one")
    (hope,) = written().hopes
    assert (hope.modules, hope.example, hope.requests) == (("cards", "stock"), "POST /buy", 1)


def test_a_step_in_a_request_belongs_to_it_and_to_its_module(stock: Stock) -> None:
    with request("POST /saga"):
        Local.run(key="two")
    found = written()
    assert found.requests == 1
    assert found.modules["sales"].requests == 1


@pytest.mark.parametrize("every", [0, 1, 16])
def test_one_trace_in_so_many_is_weighed_and_always_the_same(
    stock: Stock, settings: Settings, every: int
) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "WEIGH": every}
    traces = [f"{number:032x}" for number in range(1, 65)]
    for trace in traces:
        with request(trace=trace):
            stock.levels(skus=["a"])
    chosen = [one for one in traces if every and not crc32(one.encode()) % every]
    assert ledger._book.seen.requests == len(chosen)
    assert (len(chosen) > 0) == (every > 0)
    assert len(chosen) < 64 or every == 1


def test_handlers_are_weighed(stock: Stock, scenario: object) -> None:
    from monolift.testing.scenario import Scenario

    assert isinstance(scenario, Scenario)
    stock.fill(sku="c")
    scenario.run_until_idle()
    assert written().modules["sales"].requests >= 1


def test_nobody_to_write_for_harms_nothing(
    stock: Stock, settings: Settings, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    settings.MONOLIFT = {**settings.MONOLIFT, "DATA": blocked}
    with request():
        assert stock.levels(skus=["a"])["a"].left == 10
    ledger.write(last=True)
    assert ledger._book.silent


def test_files_of_long_ago_go_and_those_of_others_are_named(stock: Stock) -> None:
    folder = seen.folder()
    folder.mkdir()
    old = folder / "1-1.json"
    old.write_text("{}")
    os.utime(old, (1, 1))
    with request():
        stock.levels(skus=["a"])
    assert written().requests == 1
    assert not old.exists()
    (folder / "2-2.json").write_text("no json")
    with pytest.raises(seen.Unreadable, match=r"2-2\.json is not what a process has seen.*Delete"):
        seen.read()


def test_a_process_writes_what_another_reads(tmp_path: Path) -> None:
    script = """
import django
django.setup()
from django.test import Client
assert Client().get("/api/v1/products/none").status_code
from monolift.observe.trace import Trace
from monolift.observe.weighing import weighed
from monolift.registry.scope import Scope
from monolift import use
from modules.pricing.interface import Pricing
scope = Scope(None, None, None)
scope.trace = Trace("1" * 32, "1" * 16, False, "test")
scope.operation = "GET /"
from django.conf import settings
settings.MONOLIFT = {**settings.MONOLIFT, "WEIGH": 1}
with weighed(scope):
    use(Pricing).destinations()
"""
    env = environment(
        DJANGO_SETTINGS_MODULE="config.settings",
        PYTHONPATH=str(ROOT),
        MONOLIFT_DATA=str(tmp_path / "var"),
        MONOLIFT_ENV="development",
    )
    subprocess.run([sys.executable, "-c", script], env=env, cwd=ROOT, check=True)
    (file,) = (tmp_path / "var/observed").glob("*.json")
    document = json.loads(file.read_text())
    assert document["talk"]["pricing.destinations"]["calls"] == 1
    assert document["guards"] == {"refuse": 1}
    assert document["versions"]["shop"]["monolift"]


counts = st.dictionaries(st.integers(0, 20), st.integers(1, 1000), max_size=4)
parts = st.builds(
    Seen,
    began=st.floats(1, 1e9),
    until=st.floats(1, 1e9),
    requests=st.integers(0, 100),
    remote=counts,
    counted=st.lists(
        st.builds(
            Counted,
            caller=st.sampled_from(["a", "b"]),
            operation=st.sampled_from(["m.x", "m.y"]),
            calls=st.integers(0, 100),
        ),
        max_size=2,
        unique_by=lambda one: (one.caller, one.operation),
    ),
    modules=st.dictionaries(
        st.sampled_from(["m", "n"]),
        st.builds(Weighed, requests=st.integers(0, 9), calls=counts),
    ),
    talk=st.dictionaries(
        st.sampled_from(["m.x", "m.y"]), st.builds(Talk, calls=st.integers(0, 9), bytes=counts)
    ),
)


@given(st.lists(parts, max_size=4))
def test_a_sum_loses_nothing_and_knows_no_order(several: list[Seen]) -> None:
    def total(order: list[Seen]) -> Seen:
        import msgspec

        whole = Seen()
        for part in order:
            seen._add(whole, msgspec.json.decode(msgspec.json.encode(part), type=Seen))
        whole.counted.sort(key=lambda one: (one.caller, one.operation))
        whole.versions = {}
        return whole

    forward, backward = total(several), total(several[::-1])
    assert forward == backward
    assert forward.requests == sum(one.requests for one in several)
    assert sum(one.calls for one in forward.counted) == sum(
        one.calls for part in several for one in part.counted
    )
    assert sum(forward.remote.values()) == sum(sum(one.remote.values()) for one in several)
