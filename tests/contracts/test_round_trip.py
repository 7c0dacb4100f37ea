"""Whatever the modules of the shop declare, the codec carries there and back."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monolift.kernel import DomainError, Dto, Event, Operation, operations_of
from monolift.registry.modules import modules
from monolift.transport import codec
from tests.contracts.values import values

quick = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def operations() -> list[Operation]:
    return [
        operation
        for module in modules().values()
        for interface in module.provides
        for operation in operations_of(interface).values()
    ]


def classes(base: type[Any], within: type[Any] | None = None) -> Iterator[type[Any]]:
    """The subclasses that installed modules declare, at any depth."""
    packages = tuple(f"{module.name}." for module in modules().values())
    for cls in (within or base).__subclasses__():
        if cls.__module__.startswith(packages):
            yield cls
        yield from classes(base, cls)


def named(found: Any) -> Any:
    """Test ids that do not depend on what else was imported."""
    unique = {f"{one.__module__}.{one.__qualname__}": one for one in found}
    return pytest.mark.parametrize(
        "cls", [unique[name] for name in sorted(unique)], ids=sorted(unique)
    )


each_operation = pytest.mark.parametrize("operation", operations(), ids=lambda one: one.name)


def test_there_is_something_to_carry() -> None:
    assert len(operations()) >= 30
    assert len({*classes(Dto)}) >= 20
    assert len({*classes(Event)}) >= 7
    assert len({*classes(DomainError)}) >= 20


@each_operation
def test_an_operation_takes_and_gives_plain_data(operation: Operation) -> None:
    operation.check_types()


@each_operation
@quick
@given(data=st.data())
def test_arguments_and_answers(operation: Operation, data: st.DataObject) -> None:
    given_ = data.draw(values(operation.arguments))
    arguments = {name: getattr(given_, name) for name in operation.arguments.__struct_fields__}
    assert (
        codec.decode_arguments(operation, codec.encode_arguments(operation, arguments)) == arguments
    )
    answer = data.draw(values(operation.returns))
    assert codec.decode_answer(operation, codec.encode_answer(operation, answer)) == answer


@each_operation
@quick
@given(data=st.data())
def test_errors(operation: Operation, data: st.DataObject) -> None:
    for error in operation.raises:
        payload = data.draw(values(error.payload_type()))
        raised = error(**{name: getattr(payload, name) for name in payload.__struct_fields__})
        arrived = codec.decode_error(operation, codec.encode_error(raised))
        assert isinstance(arrived, error)
        assert arrived.fields == raised.fields
        assert str(arrived) == str(raised)


@named([*classes(Dto), *classes(Event)])
@quick
@given(data=st.data())
def test_dtos_and_events(cls: type[Any], data: st.DataObject) -> None:
    value = data.draw(values(cls))
    assert msgspec.json.decode(msgspec.json.encode(value), type=cls) == value


@named(classes(DomainError))
@quick
@given(data=st.data())
def test_a_stored_error_is_itself_again(cls: type[DomainError], data: st.DataObject) -> None:
    payload = data.draw(values(cls.payload_type()))
    error = cls(**{name: getattr(payload, name) for name in payload.__struct_fields__})
    stored = msgspec.json.decode(msgspec.json.encode({"code": error.code, "fields": error.fields}))
    again = DomainError.of_code(stored["code"], stored["fields"])
    assert isinstance(again, cls)
    assert again.fields == error.fields
