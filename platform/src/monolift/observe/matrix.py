"""The call matrix of this process: who calls what, how often, how long, how it ends.

What it calls and what it serves to other deployables are counted apart: in two processes the same
call is one of each.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from monolift.observe.seen import Counted

SAMPLE = 16
"""One call in so many is timed: reading the clock costs a good part of a local call."""


class Cell:
    """Counts of one caller and one operation. Slightly behind under threads, never locked."""

    __slots__ = (
        "calls",
        "errors",
        "failed",
        "remote",
        "retries",
        "seconds",
        "ticket",
        "timed",
        "unavailable",
        "undated",
    )

    def __init__(self) -> None:
        self.ticket = itertools.count(1)
        self.calls = 0
        self.errors = 0
        self.timed = 0
        self.seconds = 0.0
        self.remote = 0
        self.retries = 0
        self.unavailable = 0
        self.failed = 0
        """Of the errors: undeclared failures. Not told apart in process."""
        self.undated = 0


class Row(dict[str | None, Cell]):
    """The cells of one operation by calling module."""

    def __missing__(self, caller: str | None) -> Cell:
        return self.setdefault(caller, Cell())


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A line of the matrix. `mean` is the mean duration in seconds of the timed calls."""

    caller: str
    operation: str
    calls: int
    errors: int
    mean: float


_rows: dict[str, Row] = {}
_served: dict[str, Row] = {}


def row(operation: str) -> Row:
    """The cells of an operation, shared by all its proxies."""
    return _rows.setdefault(operation, Row())


def served(operation: str) -> Row:
    """The cells of an operation that other deployables call here."""
    return _served.setdefault(operation, Row())


def cells() -> Iterator[tuple[bool, str, str, Cell]]:
    """(whether it was served, caller, operation, its counts) of everything that was called."""
    for of_others, rows in ((False, _rows), (True, _served)):
        for operation, callers in list(rows.items()):
            for caller, cell in list(callers.items()):
                if cell.calls:
                    yield of_others, caller or "-", operation, cell


def matrix() -> list[Entry]:
    """The matrix of this process, most calls first."""
    entries = [
        Entry(
            caller=caller or "-",
            operation=operation,
            calls=cell.calls,
            errors=cell.errors,
            mean=cell.seconds / cell.timed if cell.timed else 0.0,
        )
        for operation, cells in _rows.items()
        for caller, cell in list(cells.items())
        if cell.calls
    ]
    return sorted(entries, key=lambda entry: -entry.calls)


def counted() -> list[Counted]:
    """The matrix as it is written down."""
    return [
        Counted(
            caller=caller or "-",
            operation=operation,
            **{name: getattr(cell, name) for name in Counted.__struct_fields__[2:]},
        )
        for operation, cells in list(_rows.items())
        for caller, cell in list(cells.items())
        if cell.calls or cell.undated
    ]


def clear() -> None:
    """Start counting anew."""
    for callers in (*_rows.values(), *_served.values()):
        callers.clear()


def as_dict() -> list[dict[str, Any]]:
    """The matrix as plain data, for JSON."""
    return [
        {
            "caller": entry.caller,
            "operation": entry.operation,
            "calls": entry.calls,
            "errors": entry.errors,
            "mean_seconds": round(entry.mean, 6),
        }
        for entry in matrix()
    ]
