"""What a rehearsal has shown: which calls there were, and what would hurt if they were remote."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from monolift.lift.rehearsal.record import Called, Seen, Site
from monolift.registry.places import Rehearsal

LOOP = 2
"""Calls of one operation from one line in one request, from which on it is a loop."""
CHATTY = 3
"""Calls of one operation in one request that are still few."""
LARGE = 64 * 1024
"""Bytes of arguments and answer that are still few."""


class Hurt(msgspec.Struct, frozen=True, kw_only=True):
    """Something that would hurt."""

    kind: str
    operation: str
    place: str
    what: str


class Report(msgspec.Struct, kw_only=True):
    """All processes together."""

    modules: tuple[str, ...]
    seed: int
    calls: int
    operations: dict[str, Called]
    hurts: tuple[Hurt, ...]


def collect(rehearsal: Rehearsal) -> Report:
    """Add up what each process has written into the rehearsal's folder."""
    operations: dict[str, Called] = {}
    sites: dict[tuple[str, str], Site] = {}
    for file in sorted(Path(rehearsal.folder).glob("*.json")):
        seen = msgspec.json.decode(file.read_bytes(), type=Seen)
        for name, called in seen.operations.items():
            _add(operations.setdefault(name, Called()), called)
        for site in seen.sites:
            _add_site(
                sites.setdefault((site.operation, site.place), Site(site.operation, site.place)),
                site,
            )
    return Report(
        modules=rehearsal.modules,
        seed=rehearsal.seed,
        calls=sum(called.calls for called in operations.values()),
        operations=dict(sorted(operations.items())),
        hurts=tuple(_hurts(operations, sites.values(), rehearsal)),
    )


def _add(whole: Called, part: Called) -> None:
    whole.calls += part.calls
    whole.failed += part.failed
    whole.sent += part.sent
    whole.received += part.received
    whole.seconds += part.seconds
    whole.largest = max(whole.largest, part.largest)
    for name, count in part.moods.items():
        whole.moods[name] = whole.moods.get(name, 0) + count
    for calls, requests in part.per_request.items():
        whole.per_request[calls] = whole.per_request.get(calls, 0) + requests


def _add_site(whole: Site, part: Site) -> None:
    whole.calls += part.calls
    whole.requests += part.requests
    if part.most > whole.most:
        whole.most, whole.example = part.most, part.example
    for name, count in part.failed.items():
        whole.failed[name] = whole.failed.get(name, 0) + count


def _hurts(
    operations: dict[str, Called], sites: Iterable[Site], rehearsal: Rehearsal
) -> Iterator[Hurt]:
    for site in sorted(sites, key=lambda one: (-one.most, one.place)):
        if site.most >= LOOP:
            wait = site.most * rehearsal.latency * 1000
            yield Hurt(
                kind="loop",
                operation=site.operation,
                place=site.place,
                what=f"{site.most} calls in one request ({site.example}), {wait:.0f} ms of waiting:"
                " ask for all at once",
            )
        for error, count in sorted(site.failed.items()):
            if error in ("Unavailable", "CallFailed"):
                yield Hurt(
                    kind="silence",
                    operation=site.operation,
                    place=site.place,
                    what=f"{count} times {error} reached this line: say what stands in for it",
                )
    for name, called in sorted(operations.items()):
        most = max(called.per_request, default=0)
        if most > CHATTY:
            yield Hurt(
                kind="chatty",
                operation=name,
                place="",
                what=f"up to {most} calls in one request",
            )
        if called.largest > LARGE:
            yield Hurt(
                kind="large",
                operation=name,
                place="",
                what=f"up to {called.largest // 1024} KiB in one call: give a page at a time",
            )


def middle(spread: dict[int, int]) -> int:
    """The median of calls in one request."""
    half, seen = sum(spread.values()) / 2, 0
    for calls in sorted(spread):
        seen += spread[calls]
        if seen >= half:
            return calls
    return 0
