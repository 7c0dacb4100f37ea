"""The codec: what it carries, what it refuses, and that neither side ever crashes on the other."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monolift.kernel import (
    CallFailed,
    DomainError,
    Dto,
    Interface,
    Money,
    Unavailable,
    command,
    operations_of,
    query,
)
from monolift.transport import codec


class Gone(DomainError, status=410):
    """No {sku} any more."""

    sku: str
    price: Money | None = None


class Undeclared(DomainError):
    """Not in raises=."""


class Line(Dto):
    sku: str
    quantity: int = 1


class Port(Interface, Protocol, version=1):
    @command(raises=Gone)
    def push(self, *, lines: Sequence[Line], note: str = "none") -> Mapping[str, int]: ...

    @query
    def nothing(self) -> None: ...


PUSH, NOTHING = operations_of(Port)["push"], operations_of(Port)["nothing"]


def test_arguments_arrive_with_the_defaults_of_the_callee() -> None:
    body = codec.encode_arguments(PUSH, {"lines": (Line(sku="a"),)})
    assert codec.decode_arguments(PUSH, body) == {"lines": [Line(sku="a")], "note": "none"}
    assert codec.decode_arguments(PUSH, b'{"lines":[{"sku":"a"}],"later":1}') == {
        "lines": [Line(sku="a")],
        "note": "none",
    }


@pytest.mark.parametrize("arguments", [{}, {"lines": (), "colour": 1}], ids=["missing", "unknown"])
def test_a_wrong_call_is_the_callers_mistake(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        codec.encode_arguments(PUSH, arguments)


@pytest.mark.parametrize(
    "value",
    [object(), {1, object()}, "\ud800", 1j],
    ids=lambda one: type(one).__name__,
)
def test_what_is_no_plain_data_is_named(value: Any) -> None:
    with pytest.raises(CallFailed, match=r"\.push failed: its arguments cannot be encoded"):
        codec.encode_arguments(PUSH, {"lines": value})
    with pytest.raises(CallFailed, match=r"\.push failed: its answer cannot be encoded"):
        codec.encode_answer(PUSH, value)


@given(st.binary(max_size=60) | st.text(max_size=30).map(str.encode))
def test_no_bytes_crash_a_side(body: bytes) -> None:
    for decode in (codec.decode_arguments, codec.decode_answer):
        try:
            decode(PUSH, body)
        except CallFailed:
            pass


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'{"lines":null}',
        b'{"lines":[{"sku":1}]}',
        b'{"lines":[{"sku":"a","quantity":"1"}]}',
        b'{"lines":[{"sku":"a","quantity":1.5}]}',
        b'{"lines":[{"sku":"\xff"}]}',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_arguments_that_do_not_fit_are_refused(body: bytes) -> None:
    with pytest.raises(CallFailed, match="its arguments do not fit"):
        codec.decode_arguments(PUSH, body)


def test_none_is_an_answer() -> None:
    assert codec.decode_answer(NOTHING, codec.encode_answer(NOTHING, None)) is None


def test_a_declared_error_is_itself_again() -> None:
    error = Gone(sku="a", price=Money(5, "EUR"))
    again = codec.decode_error(PUSH, codec.encode_error(error))
    assert type(again) is Gone
    assert again.fields == error.fields


def test_an_undeclared_error_is_a_failed_call() -> None:
    failed = codec.decode_error(PUSH, codec.encode_error(Undeclared()))
    assert isinstance(failed, CallFailed)
    assert "undeclared" in failed.reason


def test_the_platforms_errors_keep_their_reason() -> None:
    unavailable = codec.decode_error(PUSH, codec.encode_error(Unavailable("x.y", "too late")))
    assert isinstance(unavailable, Unavailable)
    assert unavailable.reason == "too late"
    failed = codec.decode_error(PUSH, codec.encode_error(CallFailed("x.y", "it raised KeyError")))
    assert isinstance(failed, CallFailed)
    assert failed.reason == "it raised KeyError"


@pytest.mark.parametrize(
    "body", [b"", b"<html>502 Bad Gateway</html>", b"{}", b'{"code":"\xff"}'], ids=repr
)
def test_what_is_no_error_of_ours_leaves_the_outcome_open(body: bytes) -> None:
    """A proxy's page says nothing about what the module did."""
    failed = codec.decode_error(PUSH, body)
    assert isinstance(failed, Unavailable)
    assert "cannot be read" in failed.reason


@pytest.mark.parametrize("fields", [None, {"sku": 1}, {"price": {}}], ids=repr)
def test_a_declared_error_that_does_not_fit_is_a_failed_call(fields: Any) -> None:
    body = {"type": "Failure", "code": Gone.code} | ({"fields": fields} if fields else {})
    failed = codec.decode_error(PUSH, msgspec.json.encode(body))
    assert isinstance(failed, CallFailed)
    assert f"the fields of {Gone.code} do not fit" in failed.reason


@given(st.binary(max_size=60))
def test_no_bytes_crash_the_reading_of_an_error(body: bytes) -> None:
    assert isinstance(codec.decode_error(PUSH, body), Unavailable | CallFailed | DomainError)
