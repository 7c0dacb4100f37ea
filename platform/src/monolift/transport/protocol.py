"""What a call looks like between deployables.

    POST <url>/_monolift/calls/inventory.inventory.v1/reserve?key=<key>
    Authorization: Bearer m1...         signs method, path with query, and body
    Monolift-Deadline: 480              milliseconds that are left
    Monolift-Caller: orders             the calling module
    traceparent, X-Request-ID

    {"reference": "...", "lines": [...]}

The body is the arguments as JSON, the answer of a 200 is the answer; every other answer is a
`codec.Failure`, with a status for proxies and dashboards. The key of a command is in the query, so
that the signature covers it: whoever repeats a request gets its answer, and cannot give it another
key. The time that is left is relative, because clocks differ.
"""

from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from monolift.registry.scope import CallKey

PREFIX = "/_monolift/calls/"
CONTENT_TYPE = "application/json"
DEADLINE, CALLER = "Monolift-Deadline", "Monolift-Caller"
LARGEST = 8 * 1024 * 1024
"""Bytes of the arguments, or of an answer, at most."""
MISDIRECTED = 421
"""Status of a call whose module is not here: nothing was run (RFC 9110, 15.5.20)."""


class BadKey(ValueError):
    """A query that is not what a caller makes."""


def target(interface: str, method: str, key: CallKey | None) -> str:
    """The path, with its query, of a call."""
    path = f"{PREFIX}{interface}/{method}"
    if key is None:
        return path
    how = "&settling=1" if key.settling else "&repeated=1" if key.repeated else ""
    return f"{path}?key={quote(key.value, safe='')}{how}"


def key_of(query: str) -> CallKey | None:
    """The key that a query names; None without one. Raises BadKey."""
    if not query:
        return None
    try:
        given = dict(parse_qsl(query, strict_parsing=True, max_num_fields=2))
    except ValueError as error:
        raise BadKey(str(error)) from None
    value = given.pop("key", "")
    if not 0 < len(value) <= 255 or given not in ({}, {"settling": "1"}, {"repeated": "1"}):
        raise BadKey("the query is key=<1 to 255 characters>, and repeated=1 or settling=1")
    return CallKey(value, repeated="repeated" in given, settling="settling" in given)


class Outcome(NamedTuple):
    """An answer as it came."""

    status: int
    body: bytes
    retry_after: float | None
