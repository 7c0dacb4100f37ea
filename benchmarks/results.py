"""What a figure is, and when a goal counts as missed."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from benchmarks.paired import Comparison

Verdict = Literal["met", "within spread", "missed", "-"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One measured figure.

    `low` and `high` are the quartiles of the paired ratios; equal for what is counted.
    """

    figure: str
    what: str
    database: str
    value: float
    low: float
    high: float
    goal: float | None
    sense: Literal["at most", "at least"]
    unit: str
    samples: int
    note: str = ""

    @classmethod
    def ratio(
        cls,
        comparison: Comparison,
        *,
        figure: str,
        what: str,
        database: str,
        goal: float | None,
        sense: Literal["at most", "at least"] = "at most",
        note: str = "",
    ) -> Self:
        """A ratio of times, or of rates."""
        low, high = comparison.quartiles
        return cls(
            figure=figure,
            what=what,
            database=database,
            value=comparison.value,
            low=low,
            high=high,
            goal=goal,
            sense=sense,
            unit="x",
            samples=len(comparison.ratios),
            note=note or _times(comparison),
        )

    @classmethod
    def count(
        cls,
        value: float,
        *,
        figure: str,
        what: str,
        database: str,
        goal: float | None,
        sense: Literal["at most", "at least"] = "at most",
        unit: str = "",
        note: str = "",
    ) -> Self:
        """Something that was counted, or measured once."""
        return cls(
            figure=figure,
            what=what,
            database=database,
            value=value,
            low=value,
            high=value,
            goal=goal,
            sense=sense,
            unit=unit,
            samples=1,
            note=note,
        )

    @property
    def counted(self) -> bool:
        """True for what has no noise: it may fail a build."""
        return not self.unit

    @property
    def verdict(self) -> Verdict:
        """Whether the goal is met; missed by less than half the interquartile range is noise."""
        if self.goal is None:
            return "-"
        above = self.value - self.goal if self.sense == "at most" else self.goal - self.value
        if above <= 0:
            return "met"
        return "within spread" if above <= (self.high - self.low) / 2 else "missed"

    def as_dict(self) -> dict[str, Any]:
        """Plain data, to cross a process."""
        return asdict(self)


def _times(comparison: Comparison) -> str:
    ours, reference = sorted(comparison.ours), sorted(comparison.reference)
    return f"{_duration(ours)} against {_duration(reference)}"


def _duration(times: list[float]) -> str:
    seconds = times[len(times) // 2]
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
