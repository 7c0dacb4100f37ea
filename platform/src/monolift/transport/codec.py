"""The wire form of calls, answers and errors: JSON, checked against the declared types."""

from functools import cache
from typing import Any

import msgspec

from monolift.kernel import (
    CallFailed,
    DomainError,
    KeyInFlight,
    KeyReused,
    NeverHappened,
    Operation,
    Unavailable,
)
from monolift.kernel.errors import MonoliftError
from monolift.transport.live import live

_encoder = msgspec.json.Encoder()


class Failure(msgspec.Struct, tag=True, frozen=True, omit_defaults=True):
    """An error on the wire: a declared domain error, or one of the platform's."""

    code: str
    fields: msgspec.Raw = msgspec.Raw(b"{}")
    reason: str = ""


UNAVAILABLE = "monolift.unavailable"
FAILED = "monolift.call_failed"
REFUSED = "monolift.refused"
"""Nothing was run: too busy, not signed, not here. What is meant by it says the status."""

# What else a caller may expect, with the class and the HTTP status.
_OTHERS: dict[str, tuple[type[MonoliftError], int]] = {
    "monolift.never_happened": (NeverHappened, 410),
    "monolift.key_reused": (KeyReused, 422),
    "monolift.key_in_flight": (KeyInFlight, 409),
}


def encode_arguments(operation: Operation, arguments: dict[str, Any]) -> bytes:
    """The arguments of a call; TypeError for a missing or unknown one."""
    return _encode(operation, operation.arguments(**arguments), "its arguments")


def decode_arguments(operation: Operation, body: bytes) -> dict[str, Any]:
    """The arguments, as the implementation takes them; CallFailed when they do not fit."""
    try:
        struct = _decoder(operation.arguments).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CallFailed(operation.name, f"its arguments do not fit: {error}") from error
    return {name: getattr(struct, name) for name in operation.arguments.__struct_fields__}


def encode_answer(operation: Operation, answer: Any) -> bytes:
    """The answer of a call."""
    return _encode(operation, answer, "its answer")


def decode_answer(operation: Operation, body: bytes) -> Any:
    """The answer as the declared type, where none is `null`; CallFailed when it does not fit."""
    try:
        return _decoder(operation.returns).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CallFailed(operation.name, f"its answer does not fit: {error}") from error


def encode_error(error: Exception) -> bytes:
    """A declared error, Unavailable or CallFailed on the wire."""
    if isinstance(error, DomainError):
        fields = msgspec.Raw(_encoder.encode(error.fields))
        return _encoder.encode(Failure(code=error.code, fields=fields))
    for code, (kind, _) in _OTHERS.items():
        if isinstance(error, kind):
            return _encoder.encode(Failure(code=code, reason=str(error)))
    code = UNAVAILABLE if isinstance(error, Unavailable) else FAILED
    return _encoder.encode(Failure(code=code, reason=getattr(error, "reason", str(error))))


def encode_refusal(reason: str) -> bytes:
    """That nothing was run, and why."""
    return _encoder.encode(Failure(code=REFUSED, reason=reason))


def is_refusal(body: bytes) -> bool:
    """Whether an error on the wire says that nothing was run."""
    try:
        return bool(_decoder(Failure).decode(body).code == REFUSED)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def status_of(error: Exception) -> int:
    """The HTTP status that goes with an error."""
    if isinstance(error, DomainError):
        return error.status
    for kind, status in _OTHERS.values():
        if isinstance(error, kind):
            return status
    return 503 if isinstance(error, Unavailable) else 500


def decode_error(operation: Operation, body: bytes) -> Exception:
    """The error as the caller knows it; Unavailable when the body is no error of ours."""
    try:
        failure = _decoder(Failure).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # A proxy's page, a truncated body: whether the call was carried out, nobody knows.
        return Unavailable(operation.name, f"its error cannot be read: {error}")
    if failure.code in (UNAVAILABLE, REFUSED):
        return Unavailable(operation.name, failure.reason)
    if failure.code in _OTHERS:
        return _OTHERS[failure.code][0](failure.reason)
    declared = operation.errors.get(failure.code)
    if declared is None:
        return CallFailed(operation.name, failure.reason or f"it raised {failure.code}")
    try:
        payload = _decoder(declared.payload_type()).decode(failure.fields)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return CallFailed(operation.name, f"the fields of {failure.code} do not fit: {error}")
    return declared(**{name: getattr(payload, name) for name in payload.__struct_fields__})


def _encode(operation: Operation, value: Any, what: str) -> bytes:
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, OverflowError) as error:
        found = live(value)
        reason = f"{what}: {found}" if found else f"{what} cannot be encoded: {error}"
        raise CallFailed(operation.name, reason) from error


@cache
def _decoder(wire_type: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(wire_type)
