"""D9, D10, D12: what must have been tried before it is needed."""

from datetime import timedelta

from monolift.kernel import clock
from monolift.lift.advice.advice import Criterion, Outcome
from monolift.lift.advice.evidence import PROBES, Drill, Kind, drills
from monolift.lift.advice.material import Material
from monolift.lift.advice.shares import counted, duration

_SOURCE = "drills and probes that lifts have recorded"


def provisioned(material: Material, label: str) -> Criterion:
    """D9: a new process with a new database is there within the hour."""
    limits = material.limits

    def criterion(outcome: Outcome, value: str) -> Criterion:
        return Criterion(
            number="D9",
            title="Rapid provisioning",
            outcome=outcome,
            value=value,
            source=_SOURCE,
            threshold=f"< {limits.PROVISION_HOURS:g} h, scripted, {limits.DRILL_DAYS:g} d old at "
            "most",
        )

    last = next(iter(drills(label, Kind.PROVISION)), None)
    if last is None:
        return criterion(Outcome.UNKNOWN, "no drill is recorded")
    value = f"{duration(last.seconds)}, {_age(last)}"
    if _old(last, limits.DRILL_DAYS):
        return criterion(Outcome.UNKNOWN, f"{value}: too old")
    good = last.passed and last.seconds < limits.PROVISION_HOURS * 3600
    return criterion(Outcome.PASS if good else Outcome.FAIL, value)


def watched(material: Material, label: str) -> Criterion:
    """D10: one can see what happens there, and who must know is told."""
    limits = material.limits

    def criterion(outcome: Outcome, value: str) -> Criterion:
        return Criterion(
            number="D10",
            title="Basic monitoring",
            outcome=outcome,
            value=value,
            source=_SOURCE,
            threshold="trace id across the boundary, RED of each interface, an alert reaches the "
            f"owner; {limits.DRILL_DAYS:g} d old at most",
        )

    newest: dict[str, Drill] = {}
    for drill in drills(label, Kind.PROBE):
        if not _old(drill, limits.DRILL_DAYS):
            newest.setdefault(drill.name, drill)
    states = {
        name: ("yes" if newest[name].passed else "no") if name in newest else "not probed"
        for name in PROBES
    }
    value = ", ".join(f"{name}: {state}" for name, state in states.items())
    if "no" in states.values():
        return criterion(Outcome.FAIL, value)
    known = "not probed" not in states.values()
    return criterion(Outcome.PASS if known else Outcome.UNKNOWN, value)


def reversible(material: Material, label: str) -> Criterion:
    """D12: the way back was rehearsed lately, and no request failed."""
    limits = material.limits

    def criterion(outcome: Outcome, value: str) -> Criterion:
        return Criterion(
            number="D12",
            title="The way back rehearsed",
            outcome=outcome,
            value=value,
            source=_SOURCE,
            threshold=f"<= {limits.DRILL_DAYS:g} d old, 0 failed",
        )

    last = next(iter(drills(label, Kind.ROLLBACK)), None)
    if last is None:
        return criterion(Outcome.UNKNOWN, "no drill is recorded")
    value = (
        f"{_age(last)}, stall {last.seconds * 1000:.0f} ms, "
        f"{counted(last.failed, 'failed request')}"
    )
    good = last.passed and not last.failed and not _old(last, limits.DRILL_DAYS)
    return criterion(Outcome.PASS if good else Outcome.FAIL, value)


def _old(drill: Drill, days: float) -> bool:
    return drill.at < clock.now() - timedelta(days=days)


def _age(drill: Drill) -> str:
    return f"{duration(max((clock.now() - drill.at).total_seconds(), 0.0))} ago"
