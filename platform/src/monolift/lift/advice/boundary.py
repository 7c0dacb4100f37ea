"""D1: nothing reaches across the module's boundary, what is accepted counted too."""

from collections.abc import Iterator

from monolift.boundaries.booted import booted_violations
from monolift.boundaries.check import RELATIONS, static_violations
from monolift.boundaries.project import Project
from monolift.boundaries.sql.ownership import ownership
from monolift.boundaries.violations import Violation
from monolift.lift.advice.advice import Criterion, Outcome
from monolift.lift.advice.material import Material
from monolift.lift.advice.shares import counted

_SQL = "sql:"


def clean(material: Material, label: str) -> tuple[Criterion, list[str]]:
    """The criterion, and each coupling with its way out."""
    couplings = [_told(one) for one in _violations(material.project, label)]
    crossings = list(_crossings(material, label))
    found = [*couplings, *crossings]
    limit = material.limits.COUPLINGS
    looked = {mode for mode, count in material.seen.guards.items() if count} & {"refuse", "sample"}
    value = f"{counted(len(couplings), 'coupling')} in the code"
    if looked:
        value += f", {len(crossings)} in statements ({' and '.join(sorted(looked))})"
    else:
        value += (
            "; no process has looked at its statements: set SQL_GUARD to 'sample', or WEIGH above "
            "0 where it refuses"
        )
    outcome = Outcome.FAIL if len(found) > limit else Outcome.PASS if looked else Outcome.UNKNOWN
    criterion = Criterion(
        number="D1",
        title="Boundary clean",
        outcome=outcome,
        value=value,
        source="monolift check, the baseline included; the SQL guard's count",
        threshold=f"<= {limit}",
    )
    return criterion, found


def _violations(project: Project, label: str) -> Iterator[Violation]:
    files = [one for one in static_violations(project) if one.rule not in RELATIONS]
    found = {one.identity: one for one in (*booted_violations(project), *files)}
    for violation in sorted(found.values()):
        if label in (violation.module, *_targets(project, violation.target)):
            yield violation


def _targets(project: Project, target: str) -> Iterator[str]:
    """The module that a target lies in: a dotted name, or `label.Model`."""
    module = project.module_at(target) or project.by_label.get(target.partition(".")[0])
    if module is not None:
        yield module.label


def _told(violation: Violation) -> str:
    return f"{violation.position}: {violation.message} {violation.way_out}"


def _crossings(material: Material, label: str) -> Iterator[str]:
    """Statements on tables across the boundary, either way; of all processes together."""
    for entry in material.seen.counted:
        if not entry.operation.startswith(_SQL):
            continue
        table = entry.operation.removeprefix(_SQL)
        if label in (entry.caller, ownership().owner(table)):
            yield (
                f"{entry.caller} reaches the table {table}, {counted(entry.calls, 'time')} in what "
                "was sampled. Ask its module through its interface."
            )
