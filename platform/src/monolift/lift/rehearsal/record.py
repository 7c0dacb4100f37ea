"""What a rehearsal sees in one process: which calls, from which line, in which request.

Each process writes its own file from time to time; the report adds them up.
"""

import atexit
import os
import sys
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import msgspec

from monolift.gateway.parts import has_stand_in
from monolift.kernel import Operation
from monolift.kernel.errors import MonoliftError
from monolift.observe.files import put
from monolift.observe.lines import calling_line
from monolift.observe.trace import current_trace
from monolift.registry.scope import current

REQUESTS = 2_000
"""Requests whose calls are told apart at a time; older ones are added up."""
WRITE_EVERY = 1.0


class Called(msgspec.Struct):
    """One operation."""

    calls: int = 0
    failed: int = 0
    sent: int = 0
    received: int = 0
    largest: int = 0
    """Bytes of arguments and answer of the largest call."""
    seconds: float = 0.0
    moods: dict[str, int] = msgspec.field(default_factory=dict)
    per_request: dict[int, int] = msgspec.field(default_factory=dict)
    """So many calls in one request: so many requests."""


class Site(msgspec.Struct):
    """A line that calls an operation."""

    operation: str
    place: str
    calls: int = 0
    requests: int = 0
    most: int = 0
    """Calls in one request, at most."""
    example: str = ""
    """The request that made most."""
    failed: dict[str, int] = msgspec.field(default_factory=dict)
    """What reached the caller, by the error's name."""


class Seen(msgspec.Struct):
    """What one process has seen."""

    operations: dict[str, Called] = msgspec.field(default_factory=dict)
    sites: list[Site] = msgspec.field(default_factory=list)


type _Key = tuple[str, str, float | None]


class _Request(msgspec.Struct):
    name: str
    operations: Counter[str]
    sites: Counter[tuple[str, str]]


class _Recorder:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.operations: dict[str, Called] = {}
        self.sites: dict[tuple[str, str], Site] = {}
        self.requests: OrderedDict[_Key, _Request] = OrderedDict()
        self.folder = ""
        self.written = 0.0

    def begin(self, operation: str, place: str) -> None:
        with self.lock:
            self.operations.setdefault(operation, Called()).calls += 1
            name, key = _request()
            if not name:
                self.site(operation, place).calls += 1
                return
            request = self.requests.get(key)
            if request is None:
                request = self.requests[key] = _Request(name, Counter(), Counter())
            self.requests.move_to_end(key)
            request.operations[operation] += 1
            request.sites[operation, place] += 1
            while len(self.requests) > REQUESTS:
                self._settle(self.requests.popitem(last=False)[1])

    def _settle(self, request: _Request) -> None:
        for operation, count in request.operations.items():
            spread = self.operations[operation].per_request
            spread[count] = spread.get(count, 0) + 1
        for (operation, place), count in request.sites.items():
            site = self.site(operation, place)
            site.calls += count
            site.requests += 1
            if count > site.most:
                site.most, site.example = count, request.name

    def site(self, operation: str, place: str) -> Site:
        return self.sites.setdefault((operation, place), Site(operation, place))

    def write(self, *, last: bool = False) -> None:
        with self.lock:
            if not self.folder or (not last and time.monotonic() - self.written < WRITE_EVERY):
                return
            self.written = time.monotonic()
            whole = _Recorder()
            whole.operations = msgspec.convert(
                msgspec.to_builtins(self.operations), dict[str, Called]
            )
            whole.sites = {
                key: msgspec.structs.replace(site, failed=dict(site.failed))
                for key, site in self.sites.items()
            }
            for request in self.requests.values():
                whole._settle(request)
            seen = Seen(operations=whole.operations, sites=list(whole.sites.values()))
            target = Path(self.folder) / f"{os.getpid()}.json"
        put(target, msgspec.json.encode(seen))


_recorder = _Recorder()
_running: ContextVar[Called | None] = ContextVar("monolift_rehearsed_call", default=None)


@contextmanager
def observed(operation: Operation, *, folder: str) -> Iterator[None]:
    """Count a call, from the line of the project that makes it."""
    if folder != _recorder.folder:
        _begin_anew(folder)
    place = calling_line(sys._getframe(2))
    _recorder.begin(operation.name, place)
    called = _recorder.operations[operation.name]
    token = _running.set(called)
    start = time.monotonic()
    try:
        yield
    except MonoliftError as error:
        called.failed += 1
        if not has_stand_in.get():
            with _recorder.lock:
                failed = _recorder.site(operation.name, place).failed
                failed[type(error).__name__] = failed.get(type(error).__name__, 0) + 1
        raise
    finally:
        called.seconds += time.monotonic() - start
        _running.reset(token)
        _recorder.write()


def mood(name: str) -> None:
    """The wire did this to the running call."""
    called = _running.get()
    if called is not None:
        called.moods[name] = called.moods.get(name, 0) + 1


def sent(arguments: int, answer: int) -> None:
    """Bytes that the running call took over the wire."""
    called = _running.get()
    if called is not None:
        called.sent += arguments
        called.received += answer
        called.largest = max(called.largest, arguments + answer)


def _begin_anew(folder: str) -> None:
    global _recorder
    _recorder.write(last=True)
    _recorder = _Recorder()
    _recorder.folder = folder


def _request() -> tuple[str, _Key]:
    """The request, handler, task or step that the call is made in; no name outside any.

    Two of the same name differ by their traces, or by when they have to end.
    """
    scope = current()
    name, end = scope.operation, scope.deadline
    while scope.parent is not None:
        scope = scope.parent
        if scope.operation:
            name, end = scope.operation, scope.deadline
    trace = current_trace()
    return name, (trace.trace_id if trace else "", name, end)


def _forget() -> None:
    """A child process counts its own."""
    global _recorder
    folder, _recorder = _recorder.folder, _Recorder()
    _recorder.folder = folder


atexit.register(lambda: _recorder.write(last=True))
os.register_at_fork(after_in_child=_forget)
