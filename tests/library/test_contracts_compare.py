"""What is said of changes of interfaces, events, sagas and tasks."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

import msgspec
import pytest

from monolift import task
from monolift.contracts.compare import compare
from monolift.contracts.rules import RULES, Change, Verdict
from monolift.contracts.schema import Components, ContractError
from monolift.contracts.snapshots import (
    Snapshot,
    by_path,
    of_event,
    of_interface,
    of_saga,
    of_task,
    path_of,
    text_of,
)
from monolift.kernel import (
    DomainError,
    Dto,
    Event,
    Interface,
    Money,
    Saga,
    command,
    hours,
    query,
    step,
)


class SoldOut(DomainError, status=409, code="shop.sold_out"):
    """None left."""

    sku: str


class Missing(DomainError, status=404, code="shop.missing"):
    """Nothing there."""


class Stock(Interface, Protocol, version=1, name="shop.stock.v1"):
    @command(timeout=2, raises=SoldOut)
    def reserve(self, *, sku: str) -> int: ...


def interface(**changed: Any) -> Snapshot:
    """The snapshot of Stock, its one operation changed."""
    snapshot = of_interface(Stock)
    snapshot["operations"]["reserve"] |= changed
    return snapshot


class Placed(Event, version=1, key="order", name="shop.placed.v1"):
    order: UUID
    total: Money


class Arrived(Event, version=1, key="order", name="shop.arrived.v1"):
    order: UUID


class Buy(Saga, version=1, name="shop.buy"):
    order: UUID

    @step(calls=Stock.reserve)
    def reserve(self) -> None: ...

    @reserve.undo
    def release(self) -> None: ...

    @step
    def place(self) -> None: ...

    @step(awaits=Arrived, match="order", within=hours(1))
    def wait(self, event: Arrived) -> None: ...


def saga(*, attempts: int = 5, steps: Sequence[str] | None = None, **first: Any) -> Snapshot:
    """The snapshot of Buy, changed as a whole or in its first step."""
    snapshot = of_saga(Buy)
    snapshot["attempts"] = attempts
    snapshot["steps"][0] |= first
    named = {one["name"]: one for one in snapshot["steps"]}
    snapshot["steps"] = [named[name] for name in steps or named]
    return snapshot


def changed(snapshot: Snapshot, **parts: Any) -> Snapshot:
    return {**snapshot, **parts}


def found(old: Snapshot, new: Snapshot) -> list[Change]:
    return compare(old=by_path([old]), new=by_path([new]))


STOCK, PLACED, BUY = interface(), of_event(Placed), saga()

CASES: list[tuple[str, str, Snapshot, Snapshot]] = [
    ("kind", "reserve was a command and is a query", STOCK, interface(kind="query")),
    ("external", "reserve is external now", STOCK, interface(external=True)),
    ("external", "reserve is no longer external", interface(external=True), STOCK),
    ("timeout", "the timeout of reserve was 2 s and is 0.5 s", STOCK, interface(timeout=0.5)),
    ("operation removed", "reserve was removed", STOCK, changed(STOCK, operations={})),
    ("operation added", "reserve was added", changed(STOCK, operations={}), STOCK),
    ("error removed", "reserve no longer raises shop.sold_out", STOCK, interface(errors=[])),
    ("error added", "reserve raises shop.sold_out now", interface(errors=[]), STOCK),
    (
        "owner",
        "the owner was shop and is depot",
        changed(STOCK, owner="shop"),
        changed(STOCK, owner="depot"),
    ),
    ("version", "the version was 1 and is 2", PLACED, changed(PLACED, version=2)),
    ("key", "the key was order and is None", PLACED, changed(PLACED, key=None)),
    ("attempts", "attempts was 5 and is 3", BUY, saga(attempts=3)),
    (
        "steps",
        "the steps were reserve, place, wait and are place, reserve, wait",
        BUY,
        saga(steps=["place", "reserve", "wait"]),
    ),
    ("steps", "the steps were reserve, place, wait and are reserve", BUY, saga(steps=["reserve"])),
    ("step kind", "step reserve: kind was calls and is own", BUY, saga(kind="own")),
    ("step kind", "step reserve: pivot was False and is True", BUY, saga(pivot=True)),
    (
        "step commands",
        "step reserve: its commands were shop.reserve and are shop.take",
        saga(commands=["shop.reserve"]),
        saga(commands=["shop.take"]),
    ),
    (
        "step queries",
        "step reserve: its queries were none and are shop.count",
        BUY,
        saga(queries=["shop.count"]),
    ),
    ("undo removed", "step reserve no longer has an undo", BUY, saga(undo=False)),
    ("undo added", "step reserve has an undo now", saga(undo=False), BUY),
    ("within", "step reserve: within was None s and is 60.0 s", BUY, saga(within=60.0)),
]


@pytest.mark.parametrize(("rule", "words", "old", "new"), CASES, ids=[one[1] for one in CASES])
def test_a_difference_is_named(rule: str, words: str, old: Snapshot, new: Snapshot) -> None:
    assert [(one.rule, one.words) for one in found(old, new)] == [(rule, words)]
    assert found(old, old) == []


def test_the_status_and_the_fields_of_an_error() -> None:
    new = interface()
    new["errors"]["shop.sold_out"]["status"] = 410
    del new["errors"]["shop.sold_out"]["fields"]["properties"]["sku"]
    assert [(one.rule, one.words) for one in found(STOCK, new)] == [
        ("field removed", "error shop.sold_out.sku was removed"),
        ("status", "the status of shop.sold_out was 409 and is 410"),
    ]


def test_every_change_says_why_and_what_breaks_says_what_to_do() -> None:
    for name, rule in RULES.items():
        assert rule.why.endswith("."), name
        assert rule.way_out or rule.verdict is Verdict.SAFE, name


def test_a_removal_is_done_in_three_phases() -> None:
    (change,) = compare(old=by_path([PLACED]), new={})
    assert change.verdict is Verdict.BREAKING
    assert change.words == "the event shop.placed.v1 was removed"
    assert "three phases" in change.way_out
    assert "accepted.toml" in change.way_out


def test_a_renamed_contract_is_told_how_to_keep_its_name() -> None:
    added, removed = found(PLACED, changed(PLACED, name="shop.order_placed.v1"))
    assert removed.words == "the event shop.placed.v1 is called shop.order_placed.v1 now"
    assert 'name="shop.placed.v1"' in removed.way_out
    assert added.verdict is Verdict.SAFE


def test_another_version_in_place_of_the_first_is_a_removal() -> None:
    second = changed(PLACED, name="shop.placed.v2", version=2)
    assert {one.rule for one in found(PLACED, second)} == {"contract removed", "contract added"}
    second = changed(BUY, version=2)
    assert {one.rule for one in found(BUY, second)} == {"contract removed", "contract added"}


def test_a_second_version_beside_the_first_is_safe() -> None:
    second = changed(PLACED, name="shop.placed.v2", version=2)
    (change,) = compare(old=by_path([PLACED]), new=by_path([PLACED, second]))
    assert (change.rule, change.verdict) == ("contract added", Verdict.SAFE)


def test_a_contract_is_found_by_its_name_wherever_its_file_is() -> None:
    assert compare(old={"elsewhere/old.json": PLACED}, new=by_path([PLACED])) == []


def test_two_contracts_of_one_name_are_refused() -> None:
    with pytest.raises(ContractError, match=r"Two contracts are called 'shop\.placed\.v1'"):
        by_path([PLACED, PLACED])


def test_the_way_out_names_the_next_version() -> None:
    new = changed(PLACED, key=None)
    assert found(PLACED, new)[0].way_out == "Declare version 2 beside version 1."


def test_paths_follow_the_wire_name() -> None:
    assert path_of(changed(PLACED, owner="shop")) == "shop/events/placed.v1.json"
    assert path_of(changed(STOCK, owner="shop")) == "shop/stock.v1.json"
    assert path_of(changed(BUY, owner="shop")) == "shop/sagas/buy.v1.json"
    assert path_of(changed(PLACED, owner="depot")) == "depot/events/shop.placed.v1.json"
    assert path_of(changed(PLACED, name="../etc/x")).count("/") == 2


def test_an_interface_in_calls_stands_for_itself() -> None:
    class Whole(Saga, version=1, name="shop.whole"):
        @step(calls=Stock, pivot=True)
        def reserve(self) -> None: ...

    (only,) = of_saga(Whole)["steps"]
    assert (only["commands"], only["queries"]) == (["shop.stock.v1"], [])


def test_a_task_has_no_version_to_declare() -> None:
    @task
    def expire(*, hold: UUID) -> None: ...

    old = of_task(expire)
    new = changed(old, arguments={"type": "object", "properties": {}, "required": []})
    (change,) = found(old, new)
    assert change.words == "argument hold was removed"
    new = changed(
        old, arguments=of_task(expire)["arguments"] | {"properties": {"hold": {"type": "string"}}}
    )
    (change,) = found(old, new)
    assert (change.rule, change.words) == ("type", "argument hold was UUID and is str")
    assert change.way_out.endswith("Add another task beside it.")
    renamed = changed(old, name=f"{old['owner']}.lapse")
    assert "old name" in found(old, renamed)[0].way_out


# The words of nested types --------------------------------------------------------------------


class Colour(enum.StrEnum):
    RED = "red"


class Inner(Dto):
    tags: Mapping[str, tuple[int, str]]
    colour: Colour | None = None


class Tree(Dto):
    inner: Inner
    branches: "tuple[Tree, ...]" = ()
    parent: "Tree | None" = None


def test_a_shared_type_is_reported_once_and_by_its_own_name() -> None:
    class Twice(Interface, Protocol, version=1, name="shop.twice.v1"):
        @query
        def first(self, *, tree: Tree) -> Sequence[Tree]: ...

        @query
        def second(self) -> Tree: ...

    old = of_interface(Twice)
    new = of_interface(Twice)
    tags = new["$defs"]["Inner"]["properties"]["tags"]
    tags["additionalProperties"]["prefixItems"][1] = {"type": "boolean"}
    new["$defs"]["Colour"]["enum"].append("blue")
    assert [one.words for one in found(old, new)] == [
        'Colour can be "blue" now',
        "Inner.tags{}[1] was str and is bool",
    ]


def test_two_types_of_one_name_get_names_of_their_own() -> None:
    line = msgspec.defstruct("Line", [("a", int)], module="modules.orders.interface")
    other = msgspec.defstruct("Line", [("b", int)], module="modules.pricing.interface")
    types = Components()
    assert types.schema(line) == {"$ref": "#/$defs/Line"}
    assert types.schema(other) == {"$ref": "#/$defs/pricing.Line"}


def test_what_cannot_be_pinned_is_refused() -> None:
    class Row(msgspec.Struct, array_like=True):
        one: int

    with pytest.raises(ContractError, match="array_like"):
        Components().schema(Row)
    with pytest.raises(ContractError, match="Use a Dto"):
        Components().schema(complex)


def test_limits_are_in_the_schema() -> None:
    small = Annotated[int, msgspec.Meta(ge=0, lt=10)]
    short = Annotated[str, msgspec.Meta(max_length=3, pattern="^a")]
    few = Annotated[tuple[int, ...], msgspec.Meta(min_length=1)]
    types = Components()
    assert types.schema(small) == {"type": "integer", "minimum": 0, "exclusiveMaximum": 10}
    assert types.schema(short) == {"type": "string", "maxLength": 3, "pattern": "^a"}
    assert types.schema(few)["minItems"] == 1


def test_an_enum_and_a_literal_of_the_same_values_are_alike() -> None:
    assert Components().schema(Literal["red"]) == {"enum": ["red"]}
    types = Components()
    types.schema(Colour)
    assert types.schemas == {"Colour": {"enum": ["red"]}}


def test_equal_contracts_have_equal_texts_and_prose_is_not_in_them() -> None:
    text = text_of(of_interface(Stock))
    assert text == text_of(of_interface(Stock))
    assert text.endswith("}\n")
    assert "None left" not in text
