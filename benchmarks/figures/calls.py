"""What an interface call costs: in local mode, and in process through the codec."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from django.db import connections

from benchmarks.context import Context
from benchmarks.paired import Case, compare, repeated
from benchmarks.probe.interface import Probe
from benchmarks.probe.services import TEN_LINES, ProbeService
from benchmarks.results import Result
from benchmarks.servers import connected, serving
from monolift import use
from monolift.observe import trace
from monolift.registry.scope import Scope, entered
from monolift.testing.transports import transported

GOAL_LOCAL = 20.0
GOAL_LOOPBACK = 0.1
_REFERENCE = uuid.UUID(int=7)


def run(context: Context) -> Iterator[Result]:
    """Local calls against bound methods; loopback against HTTP."""
    with transported("local"), in_a_request():
        yield _local(context, "look", "a query of one argument", number=1)
        yield _local(
            context, "place", "a command with ten lines", reference=_REFERENCE, lines=TEN_LINES
        )
    yield _loopback(context)


def _local(context: Context, method: str, what: str, **arguments: object) -> Result:
    proxy = use(Probe)
    getattr(proxy, method)(**arguments)  # binds it
    # As long a block for both, so that an interruption is as likely in the one as in the other.
    times = 1_000 if context.short else 10_000
    comparison = compare(
        repeated(proxy, method, times=times, arguments=arguments),
        repeated(ProbeService(), method, times=20 * times, arguments=arguments),
        pairs=context.pairs(101),
    )
    return Result.ratio(
        comparison,
        figure="calls",
        what=f"interface call in local mode ({what}) / bound-method call",
        database="-",
        goal=GOAL_LOCAL,
    )


def _loopback(context: Context) -> Result:
    answer = msgspec.json.encode(ProbeService().place(reference=_REFERENCE, lines=TEN_LINES))
    body = msgspec.json.encode({"reference": _REFERENCE, "lines": TEN_LINES})
    arguments = {"reference": _REFERENCE, "lines": TEN_LINES}
    with (
        serving("benchmarks.bare:application", BENCHMARK_ANSWER=answer.decode()) as port,
        transported("loopback"),
        in_a_request(),
    ):
        proxy = use(Probe)
        proxy.place(reference=_REFERENCE, lines=TEN_LINES)
        comparison = compare(
            repeated(proxy, "place", times=50, arguments=arguments),
            _round_trips(port, body, times=50),
            pairs=context.pairs(101),
        )
    return Result.ratio(
        comparison,
        figure="calls",
        what="loopback call of a ten-line order / keep-alive HTTP round trip of the same JSON",
        database="-",
        goal=GOAL_LOOPBACK,
    )


def _round_trips(port: int, body: bytes, *, times: int) -> Case:
    connection = connected(port)
    headers = {"Content-Type": "application/json"}

    def case() -> float:
        start = time.perf_counter()
        for _ in range(times):
            connection.request("POST", "/", body, headers)
            connection.getresponse().read()
        return (time.perf_counter() - start) / times

    return case


@contextmanager
def in_a_request() -> Iterator[None]:
    """As in a view: a deadline, a trace that is not sampled, a database that was used before."""
    connections["default"].ensure_connection()
    scope = Scope(None, None, time.monotonic() + 3600)
    scope.kind = "request"
    scope.trace = trace.begin()
    with entered(scope):
        yield
