"""Deploy logs and incidents, given as CSV files with a line of column names.

Deploys, one line for each:

    modules       labels of the modules whose changes it carried, separated by spaces
    merged_at     when the change was merged
    live_at       when it was live; empty when it never was
    outcome       ok, held, reverted or failed
    because_of    the module whose change held it, or had it reverted; empty for its own
    committed_at  when the change was written; may be left out
    restored_at   when all was well again after reverted or failed; may be left out
    notes         what the change notes say; may be left out

Incidents, one line for each:

    module        where it began
    began_at
    ended_at      empty while it lasts
    took_down     other modules that went down with it, separated by spaces
    kind          oom, timeout, error, ...; may be left out

Times are ISO 8601 with a time zone: 2026-11-28T14:05:00Z.
"""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from monolift.kernel.errors import MonoliftError

OUTCOMES = ("ok", "held", "reverted", "failed")
_DEPLOYS = ("modules", "merged_at", "live_at", "outcome", "because_of")
_DEPLOYS_MORE = ("committed_at", "restored_at", "notes")
_INCIDENTS = ("module", "began_at", "ended_at", "took_down")
_INCIDENTS_MORE = ("kind",)

type Row = dict[str, str]


class BadTable(MonoliftError):
    """A file cannot be read as it should; the message names the file, the line and the way out."""


class Deploy(NamedTuple):
    """One line of a deploy log."""

    modules: frozenset[str]
    merged_at: datetime
    live_at: datetime | None
    outcome: str
    because_of: str
    committed_at: datetime | None
    restored_at: datetime | None
    notes: str

    @property
    def queued(self) -> timedelta | None:
        """From the merge until it was live."""
        return self.live_at - self.merged_at if self.live_at else None

    @property
    def lead(self) -> timedelta | None:
        """From the commit, or else the merge, until it was live."""
        return self.live_at - (self.committed_at or self.merged_at) if self.live_at else None


class Incident(NamedTuple):
    """One line of a list of incidents."""

    module: str
    began_at: datetime
    ended_at: datetime | None
    took_down: frozenset[str]
    kind: str


def read_deploys(file: Path, *, known: Collection[str]) -> list[Deploy]:
    """The deploys in a file, oldest first. Raises BadTable, also for a module that is not known."""

    def deploy(row: Row) -> Deploy:
        if row["outcome"] not in OUTCOMES:
            raise ValueError(f"outcome {row['outcome']!r} is none of {', '.join(OUTCOMES)}")
        modules = _labels(row["modules"], known)
        if not modules:
            raise ValueError("modules is empty: name at least one")
        merged = _time(row, "merged_at")
        if merged is None:
            raise ValueError("merged_at is empty")
        found = Deploy(
            modules,
            merged,
            _time(row, "live_at"),
            row["outcome"],
            next(iter(_labels(row["because_of"], known)), ""),
            _time(row, "committed_at"),
            _time(row, "restored_at"),
            row.get("notes", ""),
        )
        _in_order(row, ("committed_at", "merged_at", "live_at", "restored_at"))
        return found

    found = _read(file, _DEPLOYS, _DEPLOYS_MORE, deploy)
    return sorted(found, key=lambda one: one.merged_at)


def read_incidents(file: Path, *, known: Collection[str]) -> list[Incident]:
    """The incidents in a file, oldest first. Raises BadTable."""

    def incident(row: Row) -> Incident:
        began = _time(row, "began_at")
        if began is None:
            raise ValueError("began_at is empty")
        (module,) = _labels(row["module"], known) or {""}
        if not module:
            raise ValueError("module is empty: name the one where it began")
        _in_order(row, ("began_at", "ended_at"))
        return Incident(
            module,
            began,
            _time(row, "ended_at"),
            _labels(row["took_down"], known),
            row.get("kind", ""),
        )

    found = _read(file, _INCIDENTS, _INCIDENTS_MORE, incident)
    return sorted(found, key=lambda one: one.began_at)


def _read[T](
    file: Path, columns: tuple[str, ...], more: tuple[str, ...], make: Callable[[Row], T]
) -> list[T]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadTable(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadTable(f"{file} is not UTF-8. Save it as UTF-8.") from None
    try:
        return list(_made(file, text.splitlines(keepends=True), columns, more, make))
    except csv.Error as error:
        raise BadTable(f"{file} is not CSV: {error}.") from None


def _made[T](
    file: Path,
    lines: Iterable[str],
    columns: tuple[str, ...],
    more: tuple[str, ...],
    make: Callable[[Row], T],
) -> Iterator[T]:
    rows = csv.DictReader(lines, strict=True)
    names = [name.strip() for name in rows.fieldnames or ()]
    rows.fieldnames = names
    for name in columns:
        if name not in names:
            raise BadTable(
                f"{file}, line 1: there is no column {name!r}. It needs: {', '.join(columns)}; "
                f"and may have: {', '.join(more)}."
            )
    for row in rows:
        where = f"{file}, line {rows.line_num}"
        if None in row or None in row.values():
            wrong = "more" if None in row else "fewer"
            raise BadTable(f"{where}: there are {wrong} values than columns. Correct the line.")
        try:
            yield make({name: value.strip() for name, value in row.items()})
        except ValueError as error:
            raise BadTable(f"{where}: {error}. Correct the line, or take it out.") from None


def _labels(text: str, known: Collection[str]) -> frozenset[str]:
    found = frozenset(text.split())
    for label in sorted(found):
        if label not in known:
            raise ValueError(f"there is no module {label!r}; installed: {', '.join(sorted(known))}")
    return found


def _time(row: Row, name: str) -> datetime | None:
    text = row.get(name, "")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name} {text!r} is no time such as 2026-11-28T14:05:00Z") from None
    if found.tzinfo is None:
        raise ValueError(f"{name} {text!r} has no time zone; end it with Z for UTC")
    return found


def _in_order(row: Row, names: tuple[str, ...]) -> None:
    times = [(name, found) for name in names if (found := _time(row, name)) is not None]
    for (earlier, first), (later, second) in pairwise(times):
        if second < first:
            raise ValueError(f"{later} is before {earlier}")
