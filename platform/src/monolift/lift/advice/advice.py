"""What an assessment says: criteria with their numbers, and a verdict."""

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How a criterion stands. What is not known is never a PASS."""

    PASS = "PASS"  # noqa: S105 - no password
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"


class Verdict(StrEnum):
    """What to do."""

    STAY = "stay"
    LIFT = "lift"


class Criterion(msgspec.Struct, frozen=True, kw_only=True):
    """One condition for a lift."""

    number: str
    """D1 to D12."""
    title: str
    outcome: Outcome
    value: str
    """What was measured; for UNKNOWN, what is missing and how to get it."""
    source: str
    """Where the value is from."""
    threshold: str
    """What the value must be for PASS."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Something cheaper than a lift, with the number that speaks for it or against it."""

    name: str
    helps: bool | None
    """None: not known."""
    value: str
    how: str
    """How it is done."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the module's interface must have before its calls become remote."""

    name: str
    outcome: Outcome
    found: tuple[str, ...] = ()
    """What is not as it must be, each with the way out."""


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """The assessment of one module."""

    module: str
    owner: str
    verdict: Verdict
    reasons: tuple[str, ...]
    """Why it is this verdict."""
    criteria: tuple[Criterion, ...]
    """D1 to D12, in order."""
    readiness: tuple[Check, ...]
    blockers: tuple[str, ...]
    """What must be mended before the module can be lifted at all, whatever the verdict."""
    cheaper: tuple[Answer, ...]


CONDITIONS = ("D1", "D2", "D3", "D4", "D9", "D10", "D11", "D12")
"""All of them must hold."""
FORCES = ("D5", "D6", "D7", "D8")
"""One of them at least must hold: a reason to lift."""


def decide(criteria: tuple[Criterion, ...]) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and the reasons for it: `stay` unless every condition and one force hold."""
    passed = {one.number for one in criteria if one.outcome is Outcome.PASS}
    forces = [one for one in criteria if one.number in FORCES and one.number in passed]
    missing = [
        f"{one.number} ({one.title.lower()}) is {one.outcome}: {one.value}"
        for one in criteria
        if one.number in CONDITIONS and one.outcome is not Outcome.PASS
    ]
    known = {one.number for one in criteria}
    missing += [f"{number} was not measured" for number in CONDITIONS if number not in known]
    if not forces:
        missing.insert(0, "No force is real: none of D5 to D8 holds")
    if missing:
        return Verdict.STAY, tuple(missing)
    return Verdict.LIFT, tuple(f"{one.number} ({one.title.lower()}): {one.value}" for one in forces)
