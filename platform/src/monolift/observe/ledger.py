"""The book of this process: what was weighed, and the call matrix, written down now and then."""

import atexit
import os
import threading
import time
from collections import deque
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import msgspec

from monolift.observe.files import put
from monolift.observe.logs import logger
from monolift.observe.matrix import counted
from monolift.observe.seen import (
    BUCKET,
    DAYS,
    Hop,
    Hope,
    Line,
    Seen,
    Talk,
    Weighed,
    add_counts,
    folder,
)
from monolift.registry.places import here
from monolift.registry.settings import setting, sql_guard

if TYPE_CHECKING:
    from monolift.observe.weighing import Unit

WRITE_EVERY = 2.0
"""Seconds between two writes; the first request is written at once. A server that ends its workers
without their exit hooks loses as much."""
HOPS = 200
"""Requests with remote calls that are remembered one by one."""
_DAY = 86400

log = logger("monolift.observe")


class _Book:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.began = time.time()
        self.written = float("-inf")
        self.silent = False
        self.seen = Seen()
        self.lines: dict[tuple[str, str], Line] = {}
        self.hopes: dict[tuple[str, ...], Hope] = {}
        self.hops: deque[Hop] = deque(maxlen=HOPS)

    def add(self, unit: "Unit") -> None:
        seen = self.seen
        seen.requests += 1
        bucket = int(time.time()) // BUCKET
        for label, cpu in unit.cpu.items():
            seen.cpu += cpu
            if label:
                module = seen.modules.setdefault(label, Weighed())
                module.cpu += cpu
                module.buckets[bucket] = module.buckets.get(bucket, 0.0) + cpu
                if len(module.buckets) > _DAY // BUCKET:
                    del module.buckets[min(module.buckets)]
        for label in unit.modules - {""}:
            seen.modules.setdefault(label, Weighed()).requests += 1
        for label, count in unit.calls.items():
            add_counts(seen.modules.setdefault(label, Weighed()).calls, {min(count, 1000): 1})
        for (operation, place), count in unit.lines.items():
            line = self.lines.setdefault((operation, place), Line(operation=operation, place=place))
            line.requests += 1
            if count > line.most:
                line.most, line.example = count, unit.entry
        self._add_remote(unit)
        if len(unit.commands) > 1:
            names = tuple(sorted(unit.commands))
            hope = self.hopes.setdefault(names, Hope(modules=names, example=unit.entry))
            hope.requests += 1

    def _add_remote(self, unit: "Unit") -> None:
        add_counts(self.seen.remote, {min(unit.remote.total(), 1000): 1})
        for operation, count in unit.remote.items():
            talk = self.seen.talk.setdefault(operation, Talk())
            talk.remote_at_once = max(talk.remote_at_once, count)
        if unit.remote:
            self.hops.append(
                Hop(
                    trace=unit.trace,
                    deployable=here(),
                    entry=unit.entry,
                    calls=tuple(sorted(unit.remote)),
                )
            )

    def whole(self) -> Seen:
        """All of it, as it is written."""
        return msgspec.structs.replace(
            self.seen,
            deployable=here(),
            began=self.began,
            until=time.time(),
            guards={sql_guard(): 1},
            versions={here(): _versions()},
            counted=counted(),
            lines=list(self.lines.values()),
            hopes=list(self.hopes.values()),
            hops=list(self.hops),
        )


_book = _Book()


def told(operation: str, *, size: int, cpu: float) -> None:
    """A call that was weighed: bytes of arguments and answer (below 0: unknown), CPU of its own."""
    with _book.lock:
        talk = _book.seen.talk.setdefault(operation, Talk())
        talk.calls += 1
        talk.cpu += cpu
        if size >= 0:
            add_counts(talk.bytes, {max(size - 1, 0).bit_length(): 1})


def settle(unit: "Unit") -> None:
    """A unit is over."""
    with _book.lock:
        _book.add(unit)
    write()


def write(*, last: bool = False) -> None:
    """Write the file of this process, when it is time or at the end."""
    book = _book
    with book.lock:
        early = not last and time.monotonic() - book.written < WRITE_EVERY
        if early or book.silent or not book.seen.requests:
            return
        book.written = time.monotonic()
        content = msgspec.json.encode(book.whole())
    target = folder() / f"{int(book.began * 1000)}-{os.getpid()}.json"
    try:
        if not target.exists():
            _tidy()
        put(target, content)
    except OSError as error:
        book.silent = True
        log.warning("what is observed cannot be written", folder=str(folder()), reason=str(error))


def clear() -> None:
    """Begin anew: for tests, and in a child process, which counts its own."""
    global _book
    _book = _Book()


def _tidy() -> None:
    """Delete what processes wrote that ended long ago."""
    limit = time.time() - DAYS * _DAY
    for file in folder().glob("*.json"):
        try:
            if file.stat().st_mtime < limit:
                file.unlink()
        except FileNotFoundError:
            pass  # another process was quicker


def _versions() -> dict[str, str]:
    found = {}
    for name in setting("CONTRACT_PACKAGES"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


atexit.register(lambda: write(last=True))
os.register_at_fork(after_in_child=clear)
