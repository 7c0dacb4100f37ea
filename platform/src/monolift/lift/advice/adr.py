"""The assessment as a decision record, with its numbers."""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from monolift.kernel import clock
from monolift.lift.advice.advice import Advice, Verdict

_NUMBERED = re.compile(r"(\d{4})-.*\.md")
_TITLES = {Verdict.STAY: "stays where it is", Verdict.LIFT: "is lifted out"}


def write(advice: Advice, *, folder: Path) -> Path:
    """Write the next record, and list it in the folder's README.md; its path. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = [int(found[1]) for file in folder.iterdir() if (found := _NUMBERED.match(file.name))]
    number = max(numbers, default=0) + 1
    title = f"{number:04}. {advice.module} {_TITLES[advice.verdict]}"
    name = f"{title.replace('. ', '-', 1).replace(' ', '-').replace('_', '-').lower()}.md"
    file = folder / name
    file.write_text(text(advice, title=title, on=clock.now().date()), encoding="utf-8")
    index = folder / "README.md"
    if index.exists():
        listed = index.read_text(encoding="utf-8").rstrip("\n")
        index.write_text(f"{listed}\n- [{title}]({name})\n", encoding="utf-8")
    return file


def text(advice: Advice, *, title: str, on: date) -> str:
    """The record's text."""
    decision = {
        Verdict.STAY: f"{advice.module} stays in the monolith, because:",
        Verdict.LIFT: f"{advice.module} is lifted out of the monolith, because:",
    }[advice.verdict]
    question = (
        f"Should {advice.module} ({advice.owner}) have a process and a database of its own? "
        "Measured by `monolift assess`:"
    )
    parts = [
        f"# {title}",
        f"*Proposed, {on.isoformat()}.*",
        "## Context",
        question,
        _table(
            ("", "condition", "outcome", "measured", "threshold", "source"),
            [
                (one.number, one.title, one.outcome, one.value, one.threshold, one.source)
                for one in advice.criteria
            ],
        ),
        "It takes all of D1 to D4 and D9 to D12, and one of D5 to D8.",
        "## Options",
        "1. Stay as it is.",
        "\n".join(
            f"{number}. {one.name.capitalize()}: {one.how}. {_HELPS[one.helps]}: {one.value}."
            for number, one in enumerate(advice.cheaper, start=2)
        ),
        f"{len(advice.cheaper) + 2}. A lift.",
        "## Decision",
        decision,
        "\n".join(f"- {reason}." for reason in advice.reasons),
        "## Cost",
        "\n".join(f"- {one}" for one in advice.blockers) or "No blocker is known.",
    ]
    return "\n\n".join(parts).replace("1. Stay as it is.\n\n", "1. Stay as it is.\n") + "\n"


_HELPS = {True: "It would help", False: "It would not help", None: "Nobody knows whether it helps"}


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(
        f"| {' | '.join(str(cell).replace('|', '\\|') for cell in line)} |" for line in lines
    )
