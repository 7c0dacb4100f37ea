"""Shares and percentiles of what was counted, and how they are written."""

from collections.abc import Mapping, Sequence


def percentile(spread: Mapping[int, int], share: float) -> int:
    """The smallest value that at least this share of what was counted does not exceed; 0 of none.

    `spread` says how often each value was counted.
    """
    wanted, seen = sum(spread.values()) * share, 0
    for value in sorted(spread):
        seen += spread[value]
        if seen >= wanted and spread[value]:
            return value
    return 0


def median(values: Sequence[float]) -> float:
    """The lower median; 0 of none."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2] if ordered else 0.0


def share(part: float, whole: float) -> float:
    """0 of nothing."""
    return part / whole if whole else 0.0


def percent(value: float) -> str:
    """`12 %`, `0.4 %`."""
    return f"{value * 100:.0f} %" if value >= 0.0995 or not value else f"{value * 100:.1f} %"


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`, `2 d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def size(amount: float) -> str:
    """Bytes: `512 bytes`, `64 KiB`."""
    return f"{amount / 1024:.3g} KiB" if amount >= 1024 else f"{amount:.0f} bytes"


def counted(number: int, noun: str) -> str:
    """`1 commit`, `2 commits`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
