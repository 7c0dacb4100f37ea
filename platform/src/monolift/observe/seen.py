"""What the processes of this machine have written down, and its sum.

    <MONOLIFT["DATA"]>/observed/<began>-<pid>.json

Counts are of all calls; what is weighed (requests, CPU, bytes, lines) is of one trace in
`MONOLIFT["WEIGH"]`.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from monolift.kernel.errors import MonoliftError
from monolift.registry.settings import setting

DAYS = 30
"""Days that a process's file is kept."""
BUCKET = 300
"""Seconds over which the CPU of a module is added up, to tell its peak from its mean."""


class Counted(msgspec.Struct, kw_only=True):
    """One caller and one operation; every call."""

    caller: str
    operation: str
    calls: int = 0
    errors: int = 0
    seconds: float = 0.0
    timed: int = 0
    remote: int = 0
    """Calls to another deployable."""
    retries: int = 0
    unavailable: int = 0
    undated: int = 0
    """Calls that came from another deployable without a deadline."""


class Weighed(msgspec.Struct, kw_only=True):
    """One module in the requests that were weighed."""

    requests: int = 0
    """Requests, handlers, tasks and steps in which its code ran."""
    cpu: float = 0.0
    """Seconds of `time.thread_time` in its own code, without the modules that it calls."""
    calls: dict[int, int] = msgspec.field(default_factory=dict)
    """So many calls of its interfaces in one request: so many requests. None is left out."""
    buckets: dict[int, float] = msgspec.field(default_factory=dict)
    """CPU by `BUCKET` since 1970; the newest 288, a day."""


class Talk(msgspec.Struct, kw_only=True):
    """One operation in the requests that were weighed."""

    calls: int = 0
    bytes: dict[int, int] = msgspec.field(default_factory=dict)
    """Calls whose arguments and answer have up to 2 to that power bytes as JSON."""
    cpu: float = 0.0
    remote_at_once: int = 0
    """Remote calls of it in one request, at most."""


class Line(msgspec.Struct, kw_only=True):
    """A line of code that calls an operation."""

    operation: str
    place: str
    requests: int = 0
    most: int = 0
    """Calls in one request, at most."""
    example: str = ""
    """The request that made most."""


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """What one request of a trace called in other deployables."""

    trace: str
    deployable: str
    entry: str
    """The operation it answers, or the name of the request, handler, task or step."""
    calls: tuple[str, ...] = ()


class Hope(msgspec.Struct, kw_only=True):
    """Commands to several modules in one request outside a saga."""

    modules: tuple[str, ...]
    requests: int = 0
    example: str = ""


class Seen(msgspec.Struct, kw_only=True):
    """What one process has seen, or all of them."""

    deployable: str = ""
    began: float = 0.0
    until: float = 0.0
    guards: dict[str, int] = msgspec.field(default_factory=dict)
    """Modes of the SQL guard, with the processes that ran in them."""
    versions: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    """Versions of packages by deployable; of the newest process."""
    requests: int = 0
    cpu: float = 0.0
    counted: list[Counted] = msgspec.field(default_factory=list)
    modules: dict[str, Weighed] = msgspec.field(default_factory=dict)
    talk: dict[str, Talk] = msgspec.field(default_factory=dict)
    lines: list[Line] = msgspec.field(default_factory=list)
    remote: dict[int, int] = msgspec.field(default_factory=dict)
    """So many remote calls in one request: so many requests."""
    hops: list[Hop] = msgspec.field(default_factory=list)
    hopes: list[Hope] = msgspec.field(default_factory=list)


class Unreadable(MonoliftError):
    """A process's file is no such file; the message names it and the way out."""


def folder() -> Path:
    """Where the processes of this machine write."""
    return Path(setting("DATA")) / "observed"


def read(places: Iterable[Path] | None = None, *, since: float = 0.0) -> Seen:
    """The sum of what was written since a time (in seconds since 1970). Raises Unreadable."""
    whole = Seen()
    files = [file for place in places or [folder()] for file in place.glob("*.json")]
    for file in sorted(files):
        try:
            part = msgspec.json.decode(file.read_bytes(), type=Seen)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unreadable(
                f"{file} is not what a process has seen: {error}. Delete it."
            ) from None
        if part.until >= since:
            _add(whole, part)
    return whole


def _add(whole: Seen, part: Seen) -> None:
    whole.began = min(whole.began or part.began, part.began)
    if part.until >= whole.until:
        whole.versions = {**whole.versions, **part.versions}
    else:
        whole.versions = {**part.versions, **whole.versions}
    whole.until = max(whole.until, part.until)
    whole.requests += part.requests
    whole.cpu += part.cpu
    add_counts(whole.guards, part.guards)
    add_counts(whole.remote, part.remote)
    whole.hops += part.hops
    _add_counted(whole, part)
    for label, module in part.modules.items():
        known = whole.modules.setdefault(label, Weighed())
        known.requests += module.requests
        known.cpu += module.cpu
        add_counts(known.calls, module.calls)
        for bucket, cpu in module.buckets.items():
            known.buckets[bucket] = known.buckets.get(bucket, 0.0) + cpu
    for name, talk in part.talk.items():
        said = whole.talk.setdefault(name, Talk())
        said.calls += talk.calls
        said.cpu += talk.cpu
        said.remote_at_once = max(said.remote_at_once, talk.remote_at_once)
        add_counts(said.bytes, talk.bytes)
    _add_lines(whole, part)
    _add_hopes(whole, part)


def _add_counted(whole: Seen, part: Seen) -> None:
    known = {(one.caller, one.operation): one for one in whole.counted}
    for entry in part.counted:
        found = known.get((entry.caller, entry.operation))
        if found is None:
            whole.counted.append(entry)
            continue
        for name in Counted.__struct_fields__[2:]:
            setattr(found, name, getattr(found, name) + getattr(entry, name))


def _add_lines(whole: Seen, part: Seen) -> None:
    known = {(one.operation, one.place): one for one in whole.lines}
    for line in part.lines:
        found = known.get((line.operation, line.place))
        if found is None:
            whole.lines.append(line)
            continue
        found.requests += line.requests
        if line.most > found.most:
            found.most, found.example = line.most, line.example


def _add_hopes(whole: Seen, part: Seen) -> None:
    known = {one.modules: one for one in whole.hopes}
    for hope in part.hopes:
        found = known.get(hope.modules)
        if found is None:
            whole.hopes.append(hope)
        else:
            found.requests += hope.requests


def add_counts[K](whole: dict[K, int], part: dict[K, int]) -> None:
    """Add numbers up, name by name."""
    for name, count in part.items():
        whole[name] = whole.get(name, 0) + count
