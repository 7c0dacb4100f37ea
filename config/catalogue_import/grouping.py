"""Putting the rows of one product together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from config.catalogue_import.rows import BrokenRow, Row
from config.catalogue_import.seen import Seen

MOST_ROWS = 1000
"""Rows of one product: its variants and its pictures."""


class Problem(NamedTuple):
    """Why the row that begins on a line cannot be taken over."""

    line: int
    reason: str


@dataclass(slots=True)
class Group:
    """The rows of a product, which stand together, and what is wrong with them so far."""

    handle: str
    line: int
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def groups(rows: Iterable[Row | BrokenRow], *, seen: Seen) -> Iterator[Group]:
    """The products of the file, in order.

    A row that does not tell whose it is counts as one of the product above it: that product could
    lose a variant if it were taken over without the row.
    """
    group: Group | None = None
    for row in rows:
        handle = row.handle if isinstance(row, BrokenRow) else row.cells["handle"]
        if group is None or (handle and handle != group.handle):
            if group is not None:
                yield group
            group = _begun(handle, row.line, seen)
        if isinstance(row, BrokenRow):
            group.problems.append(Problem(row.line, row.problem))
        elif not handle:
            group.problems.append(Problem(row.line, "it has no handle."))
        elif len(group.rows) < MOST_ROWS:
            group.rows.append(row)
        elif len(group.rows) == MOST_ROWS and not group.problems:
            group.problems.append(
                Problem(row.line, f"its product has more than {MOST_ROWS:,} rows.")
            )
    if group is not None:
        yield group


def _begun(handle: str, line: int, seen: Seen) -> Group:
    group = Group(handle, line)
    before = seen.before("handle", handle, line=line) if handle else None
    if before is not None:
        reason = f"{handle[:100]} begins on line {before} already: keep a product's rows together."
        group.problems.append(Problem(line, reason))
    return group
