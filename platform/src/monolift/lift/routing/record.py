"""What the processes of a deployable on this machine saw of a trial.

    <MONOLIFT["DATA"]>/trials/<module>/<one file for each process>.json

Each process writes its own file from time to time; a report adds them up, from an epoch on.
"""

import atexit
import os
import threading
import time
from collections import Counter
from pathlib import Path
from uuid import uuid4

import msgspec

from monolift.lift.routing.masks import Difference
from monolift.registry.settings import setting
from monolift.registry.topology import topology

EXAMPLES = 5
"""Differences, and reasons of failures, of an operation that are kept."""
WRITE_EVERY = 0.5
KINDS = ("local", "trial", "refused", "unavailable", "equal", "different", "skipped", "failed")
"""Calls answered here, answered by the deployable on trial, sent there and not taken, and sent
there without an answer; and of the queries that both were asked: equal, different, not asked
because too many waited or because of what was answered here, and without an answer from there."""


class Example(msgspec.Struct):
    """Two answers that differ: what was asked, and where they do."""

    operation: str
    arguments: str
    places: list[Difference]


class Seen(msgspec.Struct):
    """One module's trial, as one process saw it or all together."""

    module: str
    epoch: int
    counts: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)
    """By operation, by kind (`KINDS`)."""
    examples: list[Example] = msgspec.field(default_factory=list)
    failures: dict[str, int] = msgspec.field(default_factory=dict)
    """Why there was no answer, and how often."""

    def total(self, kind: str) -> int:
        """Of all operations."""
        return sum(counts.get(kind, 0) for counts in self.counts.values())

    @property
    def equal(self) -> int:
        """Queries whose answers were the same."""
        return self.total("equal")

    @property
    def different(self) -> int:
        """Queries whose answers were not."""
        return self.total("different")

    @property
    def skipped(self) -> int:
        """Queries that were to be asked and were not."""
        return self.total("skipped")

    @property
    def failed(self) -> int:
        """Queries without an answer from the deployable on trial."""
        return self.total("failed")


class _Recorder:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seen: dict[tuple[str, int], Seen] = {}
        self.name = f"{os.getpid()}-{uuid4().hex[:8]}"
        self.written = time.monotonic()
        self.timer: threading.Timer | None = None

    def of(self, module: str) -> Seen:
        epoch = topology().epoch
        return self.seen.setdefault((module, epoch), Seen(module, epoch))

    def write(self, *, now: bool = False) -> None:
        with self.lock:
            if not now and time.monotonic() - self.written < WRITE_EVERY:
                if self.timer is None:  # so that the last ones are told too
                    self.timer = threading.Timer(WRITE_EVERY, self.write, kwargs={"now": True})
                    self.timer.daemon = True
                    self.timer.start()
                return
            self.written, self.timer = time.monotonic(), None
            whole = {key: msgspec.json.encode(seen) for key, seen in self.seen.items()}
        for (module, epoch), text in whole.items():
            target = _folder(module) / f"{self.name}-{epoch}.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_suffix(f".{threading.get_ident()}")
            draft.write_bytes(text)
            draft.replace(target)


_recorder = _Recorder()


def count(
    module: str,
    operation: str,
    kind: str,
    *,
    reason: str = "",
    example: Example | None = None,
) -> None:
    """Count one call, with why it failed, or how two answers differ."""
    recorder = _recorder
    with recorder.lock:
        seen = recorder.of(module)
        counts = seen.counts.setdefault(operation, {})
        counts[kind] = counts.get(kind, 0) + 1
        if reason and (reason in seen.failures or len(seen.failures) < EXAMPLES):
            seen.failures[reason] = seen.failures.get(reason, 0) + 1
        if example is not None:
            known = sum(one.operation == operation for one in seen.examples)
            if known < EXAMPLES:
                seen.examples.append(example)
    recorder.write()


def differences(module: str, *, since: int = 0) -> Seen:
    """What a module's trial has shown on this machine, in epochs from `since` on."""
    _recorder.write(now=True)
    whole = Seen(module, since)
    counts: dict[str, Counter[str]] = {}
    failures: Counter[str] = Counter()
    for file in sorted(_folder(module).glob("*.json")):
        seen = msgspec.json.decode(file.read_bytes(), type=Seen)
        if seen.epoch < since:
            continue
        for operation, found in seen.counts.items():
            counts.setdefault(operation, Counter()).update(found)
        whole.examples += seen.examples
        failures.update(seen.failures)
    whole.counts = {operation: dict(found) for operation, found in sorted(counts.items())}
    whole.failures = dict(failures)
    return whole


def forget(module: str) -> None:
    """Take away what was seen of earlier trials of a module, in other processes and in this one."""
    with _recorder.lock:
        for key in [key for key in _recorder.seen if key[0] == module]:
            del _recorder.seen[key]
    for file in _folder(module).glob("*.json"):
        file.unlink(missing_ok=True)


def _folder(module: str) -> Path:
    return Path(setting("DATA")) / "trials" / module


def _child() -> None:
    """A child process counts its own."""
    global _recorder
    _recorder = _Recorder()


atexit.register(lambda: _recorder.write(now=True))
os.register_at_fork(after_in_child=_child)
