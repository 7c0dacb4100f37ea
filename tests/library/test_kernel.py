"""Mistakes in declarations: each fails at import, names the file and says what to write."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import pytest

from monolift.kernel import (
    DeclarationError,
    DomainError,
    Dto,
    Event,
    Interface,
    Saga,
    command,
    operations_of,
    query,
    step,
    uuid7,
)
from monolift.kernel.ids import uuid7_text

HERE = Path(__file__).stem


class Port(Interface, Protocol, version=1):
    @command
    def push(self, *, sku: str) -> None: ...


class Happened(Event, version=1, key="order"):
    order: UUID


def no_interface_version() -> None:
    class Port(Interface, Protocol): ...


def interface_version_zero() -> None:
    class Port(Interface, Protocol, version=0): ...


def unmarked_method() -> None:
    class Port(Interface, Protocol, version=1):
        def look(self) -> int: ...


def positional_parameter() -> None:
    class Port(Interface, Protocol, version=1):
        @query
        def look(self, sku: str) -> int: ...


def untyped_parameter() -> None:
    class Port(Interface, Protocol, version=1):
        @query
        def look(self, *, sku) -> int: ...  # type: ignore[no-untyped-def]  # the mistake


def untyped_answer() -> None:
    class Port(Interface, Protocol, version=1):
        @query
        def look(self, *, sku: str): ...  # type: ignore[no-untyped-def]  # the mistake


def mutable_argument() -> None:
    class Port(Interface, Protocol, version=1):
        @query
        def look(self, *, skus: list[str]) -> int: ...


def foreign_answer() -> None:
    class Port(Interface, Protocol, version=1):
        @query
        def look(self) -> Path: ...


def nested_foreign_answer() -> None:
    class Port(Interface, Protocol, version=1):
        @query
        def look(self) -> Mapping[str, Sequence[object]]: ...


def raises_no_domain_error() -> None:
    class Port(Interface, Protocol, version=1):
        @query(raises=ValueError)  # type: ignore[arg-type]  # the mistake
        def look(self) -> int: ...


def no_time() -> None:
    class Port(Interface, Protocol, version=1):
        @query(timeout=0)
        def look(self) -> int: ...


def no_number_of_seconds() -> None:
    class Port(Interface, Protocol, version=1):
        @query(timeout=float("nan"))
        def look(self) -> int: ...


def error_for_the_server() -> None:
    class Broken(DomainError, status=500): ...


def error_with_a_mutable_field() -> None:
    class Broken(DomainError):
        skus: list[str]

    class Port(Interface, Protocol, version=1):
        @query(raises=Broken)
        def look(self) -> int: ...


def thawed_dto() -> None:
    class Line(Dto, frozen=False): ...  # type: ignore[call-arg]  # the mistake


def mutable_field() -> None:
    class Line(Dto):
        skus: dict[str, int]


def no_event_version() -> None:
    class Placed(Event): ...


def unknown_key() -> None:
    class Placed(Event, version=1, key="order"):
        order_id: UUID


def no_saga_version() -> None:
    class Buy(Saga):
        @step
        def first(self) -> None: ...


def no_steps() -> None:
    class Buy(Saga, version=1): ...


def two_pivots() -> None:
    class Buy(Saga, version=1):
        @step(pivot=True)
        def first(self) -> None: ...

        @step(pivot=True)
        def second(self) -> None: ...


def command_without_undo() -> None:
    class Buy(Saga, version=1):
        @step(calls=Port.push)
        def first(self) -> None: ...

        @step(pivot=True)
        def second(self) -> None: ...


def two_undos() -> None:
    class Buy(Saga, version=1):
        @step
        def first(self) -> None: ...

        @first.undo
        def back(self) -> None: ...

        @first.undo
        def back_again(self) -> None: ...


def calls_what_is_no_interface() -> None:
    class Buy(Saga, version=1):
        @step(calls=Path)  # type: ignore[call-overload]  # the mistake
        def first(self) -> None: ...


def wrong_parameters_of_a_step() -> None:
    class Buy(Saga, version=1):
        order: UUID

        @step(awaits=Happened, match="order")
        def first(self) -> None: ...  # type: ignore[arg-type]  # the mistake


def unknown_match() -> None:
    class Buy(Saga, version=1):
        number: int

        @step(awaits=Happened, match="number")
        def first(self, event: Happened) -> None: ...


def unmatched_field() -> None:
    class Buy(Saga, version=1):
        number: int

        @step(awaits=Happened, match="order")
        def first(self, event: Happened) -> None: ...


def an_error_with_a_reserved_field() -> None:
    class CouponRefused(DomainError, status=409):
        """{code} does not count."""

        code: str  # type: ignore[misc]  # the mistake


def two_answers() -> None:
    class Buy(Saga, version=1):
        @step(answer=True)
        def first(self) -> None: ...

        @step(answer=True)
        def second(self) -> None: ...


class Refused(Event, version=1, key="order"):
    order: UUID


def overlapping_awaits() -> None:
    class Buy(Saga, version=1):
        order: UUID

        @step(awaits=(Happened, Refused), match="order")
        def first(self, event: Happened | Refused) -> None: ...

        @step(awaits=Happened, match="order")
        def second(self, event: Happened) -> None: ...


def mutable_state() -> None:
    class Buy(Saga, version=1):
        skus: list[str]

        @step
        def first(self) -> None: ...


MISTAKES: dict[Callable[[], None], tuple[str, str]] = {
    no_interface_version: ("Port has no version", "(Interface, Protocol, version=1)"),
    interface_version_zero: ("Port has no version", "version=1"),
    unmarked_method: ("Port.look is neither a query nor a command", "Put @query or @command"),
    positional_parameter: ("takes 'sku' by position", "def look(self, *, sku: ...)"),
    untyped_parameter: ("'sku' has no type", "Annotate it"),
    untyped_answer: ("does not say what it returns", "-> None"),
    mutable_argument: ("look(skus=) is a list", "Sequence[...]"),
    foreign_answer: ("has the type Path", "Use plain data"),
    nested_foreign_answer: ("has the type object", "Use plain data"),
    raises_no_domain_error: ("raises= names", "subclasses of DomainError"),
    no_time: ("timeout=0", "above 0"),
    no_number_of_seconds: ("timeout=nan", "above 0"),
    error_for_the_server: ("Broken has status 500", "400 to 499"),
    error_with_a_mutable_field: ("Broken.skus is a list", "Sequence[...]"),
    thawed_dto: ("frozen=False is not possible", "frozen and given by keyword"),
    mutable_field: ("Line.skus is a dict", "Mapping[...]"),
    no_event_version: ("Placed has no version", "(Event, version=1)"),
    unknown_key: ("key='order' is not a field", "Name one of: order_id"),
    no_saga_version: ("Buy has no version", "(Saga, version=1)"),
    no_steps: ("Buy has no steps", "@step"),
    two_pivots: ("Buy has 2 pivots", "no way back"),
    command_without_undo: ("commands another module before the pivot", "Add `@first.undo`"),
    two_undos: ("'first' has two undos", "Keep one of"),
    calls_what_is_no_interface: ("neither an interface nor a method", "calls=Inventory"),
    wrong_parameters_of_a_step: ("'first' must take", "(self, event)"),
    unknown_match: ("match='number' is not a field of Happened", "Name one of: order"),
    unmatched_field: ("Buy has no field 'order'", "Add `order: ...`"),
    an_error_with_a_reserved_field: (
        "CouponRefused has a field 'code', which every DomainError has",
        "another name",
    ),
    two_answers: ("Buy answers twice, in first and second", "keep answer=True"),
    overlapping_awaits: (
        "Happened is awaited by 'first' together with other events",
        "Let both steps await the same events",
    ),
    mutable_state: ("Buy.skus is a list", "Sequence[...]"),
}


@pytest.mark.parametrize("declare", MISTAKES, ids=lambda declare: declare.__name__)
def test_a_mistake_names_the_file_and_the_fix(declare: Callable[[], None]) -> None:
    with pytest.raises(DeclarationError) as caught:
        declare()
    message = str(caught.value)
    problem, fix = MISTAKES[declare]
    assert HERE in message
    assert problem in message
    assert fix in message


# What is derived ------------------------------------------------------------------------------


def test_wire_names_come_from_the_module_and_can_be_pinned() -> None:
    namespace: dict[str, Any] = {"__module__": "modules.orders.events"}
    assert type(Event)("OrderPlaced", (Event,), namespace, version=2).event_name == (
        "orders.order_placed.v2"
    )
    pinned = type(Event)("OrderPlaced", (Event,), namespace, version=2, name="orders.placed")
    assert (pinned.event_name, pinned.event_owner) == ("orders.placed", "orders")


def test_operations_keep_their_order_and_know_their_interface() -> None:
    class Wide(Port, Protocol, version=2):
        @query(timeout=0.5)
        def count(self, *, at: datetime.date | None = None) -> int: ...

    assert list(operations_of(Wide)) == ["push", "count"]
    count = operations_of(Wide)["count"]
    assert (count.kind, count.timeout, count.external) == ("query", 0.5, False)
    assert count.arguments() == count.arguments(at=None)
    with pytest.raises(TypeError):
        operations_of(Wide)["push"].arguments()


class Sold(DomainError, status=409):
    """Only {available} of {sku} are left."""

    sku: str
    available: int = 0


def test_a_domain_error_is_a_sentence_and_data() -> None:
    error = Sold(sku="a")
    assert str(error) == error.detail == "Only 0 of a are left."
    assert error.fields == {"sku": "a", "available": 0}
    assert (error.title, error.status) == ("Sold", 409)


def test_a_domain_error_takes_its_fields_only() -> None:
    with pytest.raises(TypeError, match="Sold"):
        Sold()
    with pytest.raises(TypeError, match="Sold"):
        Sold(sku="a", colour="red")  # type: ignore[call-arg]  # the mistake


@pytest.mark.parametrize("make", [uuid7, lambda: UUID(uuid7_text())], ids=["uuid7", "uuid7_text"])
def test_ids_rise_and_say_when(make: Callable[[], UUID]) -> None:
    made = [make() for _ in range(5000)]
    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    seconds = (made[0].int >> 80) / 1000
    now = datetime.datetime.now(datetime.UTC)  # noqa: TID251 - beside the clock under test
    assert abs(now.timestamp() - seconds) < 60
