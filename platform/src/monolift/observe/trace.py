"""Trace context (W3C Trace Context, level 1), carried through calls, events, tasks and sagas."""

import re
from random import getrandbits

import msgspec

from monolift.registry.scope import Scope, current

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class Trace(msgspec.Struct, frozen=True):
    """The trace an operation belongs to, and the request that began it."""

    trace_id: str
    span_id: str
    sampled: bool
    request_id: str

    @property
    def traceparent(self) -> str:
        """The header value to send on."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def begin(*, traceparent: str = "", request_id: str = "") -> Trace:
    """Continue the caller's trace, or begin one; malformed input begins a new one.

    Ids are random, and no secrets: they come from a generator that the system seeded once.
    """
    match = _TRACEPARENT.fullmatch(traceparent.strip()) if 0 < len(traceparent) <= 128 else None
    valid = match and match[1] != "0" * 32 and match[2] != "0" * 16
    trace_id = match[1] if match and valid else f"{getrandbits(128):032x}"
    sampled = bool(match and valid and int(match[3], 16) & 1)
    known = request_id if _REQUEST_ID.fullmatch(request_id) else f"{getrandbits(64):016x}"
    return Trace(trace_id, f"{getrandbits(64):016x}", sampled, known)


def current_trace() -> Trace | None:
    """The trace of the running operation; None outside any."""
    scope: Scope | None = current()
    while scope is not None:
        if scope.trace is not None:
            trace: Trace = scope.trace
            return trace
        scope = scope.parent
    return None


def carried() -> str:
    """The trace as text for a stored row: `traceparent;request-id`; empty outside any trace."""
    trace = current_trace()
    return f"{trace.traceparent};{trace.request_id}" if trace else ""


def resumed(text: str) -> Trace:
    """The trace of a stored row, so that what it causes shows up in the same trace."""
    traceparent, _, request_id = text.partition(";")
    return begin(traceparent=traceparent, request_id=request_id)
