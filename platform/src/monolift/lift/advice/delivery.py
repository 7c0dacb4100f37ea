"""D5, D7, D11: deploys that wait for others, incidents that spread, how soon changes are live."""

from collections.abc import Iterable
from datetime import timedelta

from monolift.kernel import clock
from monolift.lift.advice.advice import Criterion, Outcome
from monolift.lift.advice.material import Material
from monolift.lift.advice.shares import counted, duration, median, percent, share
from monolift.lift.advice.tables import Deploy

_HOUR = 3600.0
_NO_DEPLOYS = "there is no deploy log: give one with --deploys"
_NO_INCIDENTS = "there is no list of incidents: give one with --incidents"


def held(material: Material, label: str) -> Criterion:
    """D5: the module's deploys wait for, or are taken back because of, another one."""
    limits = material.limits

    def criterion(outcome: Outcome, value: str) -> Criterion:
        return Criterion(
            number="D5",
            title="Deploy contention",
            outcome=outcome,
            value=value,
            source="the deploy log",
            threshold=f"> {percent(limits.HELD)} held or reverted for another module, or > "
            f"{limits.QUEUE_HOURS:g} h from merge to live (p50)",
        )

    if material.deploys is None:
        return criterion(Outcome.UNKNOWN, _NO_DEPLOYS)
    mine = recent(material, label)
    for_others = [
        one
        for one in mine
        if one.outcome in ("held", "reverted") and one.because_of not in ("", label)
    ]
    queued = median(_seconds(one.queued for one in mine))
    part = share(len(for_others), len(mine))
    value = (
        f"{percent(part)} held or reverted for another module ({len(for_others)} of "
        f"{counted(len(mine), 'deploy')}), {duration(queued)} from merge to live"
    )
    if len(mine) < limits.FEWEST_DEPLOYS:
        return criterion(Outcome.UNKNOWN, f"{value}: too few, {limits.FEWEST_DEPLOYS:g} are needed")
    good = part > limits.HELD or queued > limits.QUEUE_HOURS * _HOUR
    return criterion(Outcome.PASS if good else Outcome.FAIL, value)


def spreading(material: Material, label: str) -> Criterion:
    """D7: what goes wrong in the module takes others down."""
    limits = material.limits

    def criterion(outcome: Outcome, value: str) -> Criterion:
        return Criterion(
            number="D7",
            title="Fault isolation",
            outcome=outcome,
            value=value,
            source="the list of incidents",
            threshold=f">= {limits.INCIDENTS:g} that took others down in {limits.QUARTER_DAYS:g} d",
        )

    if material.incidents is None:
        return criterion(Outcome.UNKNOWN, _NO_INCIDENTS)
    now = clock.now()
    since = now - timedelta(days=limits.QUARTER_DAYS)
    found = [
        one
        for one in material.incidents
        if one.module == label and one.took_down - {label} and since <= one.began_at <= now
    ]
    lasted = sum(((one.ended_at or now) - one.began_at).total_seconds() for one in found)
    kinds = ", ".join(sorted({one.kind for one in found if one.kind}))
    value = f"{counted(len(found), 'incident')}, {duration(lasted)}"
    value += f" ({kinds})" if kinds else ""
    good = len(found) >= limits.INCIDENTS
    return criterion(Outcome.PASS if good else Outcome.FAIL, value)


def quick(material: Material, label: str) -> Criterion:
    """D11: a change is live within a day, seldom breaks anything, and is soon taken back."""
    limits = material.limits

    def criterion(outcome: Outcome, value: str) -> Criterion:
        return Criterion(
            number="D11",
            title="Rapid deployment",
            outcome=outcome,
            value=value,
            source="the deploy log (DORA's measures)",
            threshold=f"lead time < {limits.LEAD_HOURS:g} h, failures < {percent(limits.FAILURES)}"
            f", restored < {limits.RESTORE_HOURS:g} h (p50)",
        )

    if material.deploys is None:
        return criterion(Outcome.UNKNOWN, _NO_DEPLOYS)
    mine = recent(material, label)
    live = [one for one in mine if one.live_at is not None]
    failed = [one for one in live if one.outcome in ("reverted", "failed")]
    lead = median(_seconds(one.lead for one in live))
    part = share(len(failed), len(live))
    restored = [
        (one.restored_at - one.live_at).total_seconds()
        for one in failed
        if one.restored_at is not None and one.live_at is not None
    ]
    value = (
        f"lead time {duration(lead)}, {percent(part)} failed ({len(failed)} of "
        f"{counted(len(live), 'deploy')})"
    )
    if failed:
        known = duration(median(restored)) if restored else "nobody wrote when"
        value += f", restored in {known}"
    if len(live) < limits.FEWEST_DEPLOYS:
        return criterion(Outcome.UNKNOWN, f"{value}: too few, {limits.FEWEST_DEPLOYS:g} are needed")
    slow = lead >= limits.LEAD_HOURS * _HOUR or median(restored) >= limits.RESTORE_HOURS * _HOUR
    if slow or part >= limits.FAILURES:
        return criterion(Outcome.FAIL, value)
    if len(restored) < len(failed):
        return criterion(Outcome.UNKNOWN, f"{value}: restored_at is missing")
    return criterion(Outcome.PASS, value)


def recent(material: Material, label: str) -> list[Deploy]:
    """The deploys of a module in the days that count."""
    since = clock.now() - timedelta(days=material.limits.HISTORY_DAYS)
    return [
        one for one in material.deploys or () if label in one.modules and one.merged_at >= since
    ]


def _seconds(spans: Iterable[timedelta | None]) -> list[float]:
    return [span.total_seconds() for span in spans if span is not None]
