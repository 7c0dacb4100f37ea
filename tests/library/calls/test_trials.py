"""A second deployable on trial: shadowed, its answers compared; as a canary, with its share.

The deployable on trial is a process with a database of its own, so that tests see which side acted,
and can let the answers differ.
"""

import queue
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pytest_django import Settings

from monolift import use
from monolift.kernel import Dto, Unavailable, operations_of
from monolift.kernel.ids import uuid7_text
from monolift.lift.routing import canary, masks, questions, record
from monolift.lift.routing.masks import Difference
from monolift.management.verbs.topology import _explained
from monolift.observe.trace import begin
from monolift.registry.places import Deployable, Place, Trial
from monolift.registry.scope import CallKey, Scope, entered
from monolift.registry.topology import install, reset, topology
from monolift.sagas.plan import group_at
from monolift.transport import peers, trust
from monolift.transport.following import SameKey
from tests.library.calls.warehouse import KEYS, reached
from tests.library.calls.wire import Wire
from tests.library.deployed import Deployed
from tests.library.running import eventually
from tests.library.world.sales.sagas import Local
from tests.library.world.stock.interface import SoldOut, Stock

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

LEVELS = "stock.levels"


class Rig:
    """Stock is here, and a trial in the warehouse can begin."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        with reached(wire.port):
            self.there: Stock = use(Stock)

    def begin(self, mode: str, *, percent: int = 0) -> Stock:
        known = topology()
        trial = Trial(deployable="warehouse", mode=mode, percent=percent)  # type: ignore[arg-type]
        alias = known.alias("stock")
        places = {
            **known.places,
            "stock": Place(deployable="shop", route=mode, alias=alias, trial=trial),
        }
        deployables = {
            "shop": Deployable(),
            "warehouse": Deployable(url=f"http://127.0.0.1:{self.wire.port}"),
        }
        install(replace(known, epoch=known.epoch + 1, places=places, deployables=deployables))
        return use(Stock)

    def fill_there(self, sku: str, *, quantity: int = 10) -> None:
        """Not by way of a trial."""
        before = topology()
        with reached(self.wire.port):
            use(Stock).fill(sku=sku, quantity=quantity)
        install(replace(before, epoch=before.epoch + 9))

    def left_there(self, sku: str) -> int | None:
        with reached(self.wire.port):
            found = use(Stock).levels(skus=[sku]).get(sku)
        return found.left if found else None


@pytest.fixture
def rig(warehouse: Deployed, settings: Settings, tmp_path: Path) -> Iterator[Rig]:
    settings.MONOLIFT = {
        **settings.MONOLIFT,
        "KEYS": KEYS,
        "DATA": tmp_path,
        "SHADOW_RATE": 1,
    }
    record.forget("stock")
    try:
        with Wire(warehouse.port) as wire:
            yield Rig(wire)
            eventually(questions.idle)
    finally:
        reset()
        peers.forget()
        trust.forget()


def seen() -> record.Seen:
    eventually(questions.idle)
    return record.differences("stock")


def sku() -> str:
    return uuid7_text()


def test_what_was_counted_last_is_told_without_another_call(rig: Rig, tmp_path: Path) -> None:
    """Whoever reads is another process: it sees what is in the file."""
    for _ in range(3):
        record.count("stock", LEVELS, "equal")

    def told() -> int:
        files = (tmp_path / "trials" / "stock").glob("*.json")
        decoded = (msgspec.json.decode(file.read_bytes(), type=record.Seen) for file in files)
        return sum(one.equal for one in decoded)

    eventually(lambda: told() == 3)


# Shadow ---------------------------------------------------------------------------------------


def test_what_is_answered_here_is_compared_with_what_is_answered_there(rig: Rig) -> None:
    same, other = sku(), sku()
    for name, quantity in ((same, 10), (other, 7)):
        rig.fill_there(name, quantity=quantity)
    reset()
    for name in (same, other):
        use(Stock).fill(sku=name)
    stock = rig.begin("shadow")
    assert stock.levels(skus=[same])[same].left == 10
    assert stock.levels(skus=[other])[other].left == 10
    report = seen()
    assert (report.equal, report.different, report.failed) == (1, 1, 0)
    (example,) = report.examples
    assert other in example.arguments
    assert example.places == [Difference(f"{other}.left", "10", "7")]


def test_a_deployable_on_trial_that_is_silent_costs_the_caller_nothing(rig: Rig) -> None:
    stock = rig.begin("shadow")
    rig.wire.mode = "refuse"
    name = sku()
    stock.fill(sku=name)
    assert stock.levels(skus=[name])[name].left == 10
    report = seen()
    assert (report.equal, report.different, report.failed) == (0, 0, 1)
    assert any("warehouse" in reason for reason in report.failures)


def test_commands_are_not_sent(rig: Rig) -> None:
    stock = rig.begin("shadow")
    name = sku()
    stock.fill(sku=name)
    stock.hold(sku=name, quantity=1)
    assert seen().counts == {}
    assert rig.left_there(name) is None


def test_what_does_not_fit_into_the_queue_is_counted(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "_waiting", queue.Queue(1))
    monkeypatch.setattr(questions, "_asking", object())  # nobody takes anything out
    stock = rig.begin("shadow")
    for _ in range(3):
        stock.levels(skus=[])
    monkeypatch.undo()
    assert record.differences("stock").skipped == 2


def test_a_refusal_is_compared_by_its_code(rig: Rig) -> None:
    from monolift.lift.routing.questions import Question, _settle

    operation = operations_of(Stock)["levels"]
    base = Question(
        module="stock",
        deployable="warehouse",
        operation=operation,
        methods={},
        arguments=b'{"skus":[]}',
        answer=b"",
        error=SoldOut.code,
        caller=None,
        trace=None,
    )
    rig.begin("shadow")

    def levels(**_: Any) -> None:
        raise SoldOut(sku="a", left=0)

    _settle(base._replace(methods={"levels": levels}))
    (example,) = record.differences("stock").examples
    assert example.places == [Difference("", SoldOut.code, "an answer")]


def test_a_row_that_changes_between_two_looks_is_no_difference(rig: Rig) -> None:
    """The answer of the caller is old by then: both are asked again."""
    name = sku()
    rig.fill_there(name, quantity=12)
    reset()
    use(Stock).fill(sku=name, quantity=10)
    stock = rig.begin("shadow")
    waiting = questions._lock
    with waiting:  # the thread that asks has not begun, if it was not there
        stock.levels(skus=[name])
        use(Stock).fill(sku=name, quantity=2)
    report = seen()
    assert (report.equal, report.different) == (1, 0)


def test_steps_that_call_what_is_on_trial_do_not_fuse(rig: Rig) -> None:
    if topology().alias("stock") == topology().alias("sales"):
        assert group_at(Local, 0)
    for mode in ("shadow", "canary"):
        rig.begin(mode, percent=10)
        assert group_at(Local, 0) == ()


def test_it_is_explained(rig: Rig) -> None:
    rig.begin("shadow")
    way = _explained("stock")["a call goes"]
    assert way.startswith("in this process; 100% of the queries are then asked of warehouse")
    rig.begin("canary", percent=10)
    assert _explained("stock")["a call goes"].startswith("10% by signed HTTP to warehouse")


# Canary ---------------------------------------------------------------------------------------


def within(request: str, call: Any) -> None:
    """Make a call in a request of that id."""
    scope = Scope(None, None, None)
    scope.kind = "request"
    scope.trace = begin(request_id=request)
    with entered(scope):
        call()


def test_a_request_goes_one_way_whatever_process_it_is_in(rig: Rig) -> None:
    stock = rig.begin("canary", percent=50)
    requests = {f"r-{number}": sku() for number in range(30)}
    for request, name in requests.items():
        within(request, lambda name=name: stock.fill(sku=name))
    there = {request for request, name in requests.items() if rig.left_there(name) == 10}
    assert there == {request for request in requests if canary.goes_there(request, percent=50)}
    assert 0 < len(there) < len(requests)
    report = record.differences("stock")
    assert (report.total("trial"), report.total("local")) == (len(there), 30 - len(there))


@pytest.mark.parametrize(
    ("text", "there"), [("a", True), ("b", False), ("c", False), ("r-1", False)]
)
def test_the_hash_is_the_same_everywhere(text: str, there: bool) -> None:
    """Numbers that are written down: a release that hashes differently would move replays."""
    assert canary.goes_there(text, percent=50) is there
    assert canary.goes_there(text, percent=100)
    assert not canary.goes_there(text, percent=0)


def test_a_replay_goes_the_way_of_its_key_and_has_one_effect(rig: Rig) -> None:
    stock = rig.begin("canary", percent=50)
    there = next(key for key in map(str, range(99)) if canary.goes_there(key, percent=50))
    here = next(key for key in map(str, range(99)) if not canary.goes_there(key, percent=50))
    names = {key: sku() for key in (there, here)}
    for request in ("r-1", "r-2", "r-3"):  # which alone would go different ways
        for key, name in names.items():
            scope = Scope(None, None, None)
            scope.kind = "request"
            scope.trace = begin(request_id=request)
            scope.outgoing, scope.plain = SameKey(CallKey(f"{key}", repeated=True)), False
            with entered(scope):
                stock.fill(sku=name)
    assert rig.left_there(names[there]) == 10
    assert rig.left_there(names[here]) is None
    reset()
    assert use(Stock).levels(skus=[names[here]])[names[here]].left == 10


def test_without_an_answer_from_there_it_is_unavailable_and_counted(rig: Rig) -> None:
    stock = rig.begin("canary", percent=100)
    rig.wire.mode = "refuse"
    with pytest.raises(Unavailable):
        stock.levels(skus=["a"])
    report = record.differences("stock")
    assert report.total("unavailable") == 1
    assert report.failures


# Masks ----------------------------------------------------------------------------------------


class Line(Dto):
    sku: str
    counted: datetime
    tags: frozenset[str] = frozenset()


class Page(Dto):
    lines: tuple[Line, ...]
    as_of: datetime
    notes: Mapping[str, Sequence[str]] = {}


NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 28, 13, tzinfo=UTC)
ONE = Line(sku="a", counted=NOON, tags=frozenset({"x", "y"}))
TWO = Line(sku="b", counted=NOON)


@pytest.mark.parametrize(
    ("here", "there", "declared", "paths"),
    [
        ((ONE, TWO), (ONE, TWO), {}, []),
        (
            (ONE, TWO),
            (TWO, ONE),
            {},
            ["lines.0.sku", "lines.0.tags", "lines.1.sku", "lines.1.tags"],
        ),
        ((ONE, TWO), (TWO, ONE), {"unordered": ["lines"]}, []),
        ((ONE, TWO), (TWO, TWO), {"unordered": ["lines"]}, ["lines"]),
        ((ONE,), (Line(sku="a", counted=LATER, tags=ONE.tags),), {}, ["lines.0.counted"]),
        (
            (ONE,),
            (Line(sku="a", counted=LATER, tags=ONE.tags),),
            {"ignore": ["lines.*.counted"]},
            [],
        ),
        ((ONE,), (Line(sku="a", counted=LATER, tags=ONE.tags),), {"ignore": ["**.counted"]}, []),
        ((ONE,), (ONE, ONE), {}, ["lines"]),
    ],
)
def test_what_may_differ_does_not_count(
    settings: Settings,
    here: tuple[Line, ...],
    there: tuple[Line, ...],
    declared: dict[str, list[str]],
    paths: list[str],
) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "SHADOW_MASKS": {LEVELS: declared}}
    operation = operations_of(Stock)["levels"]
    assert operation.name == LEVELS
    found = masks.differences(
        operation, Page(lines=here, as_of=NOON), Page(lines=there, as_of=LATER)
    )
    assert [one.path for one in found] == paths


def test_a_key_that_one_side_lacks_is_a_difference_and_secrets_are_not_shown() -> None:
    operation = operations_of(Stock)["levels"]
    here, there = {"a": 1, "password": "one"}, {"b": 1, "password": "two"}
    assert masks.differences(operation, here, there) == [
        Difference("a", "1", "nothing"),
        Difference("password", "***", "***"),
        Difference("b", "nothing", "1"),
    ]
