"""What stands between a module and its lift, grouped by what has to be done."""

from collections import defaultdict

import msgspec

from monolift.boundaries.probe.couplings import Coupling
from monolift.boundaries.probe.kinds import BY_NAME
from monolift.boundaries.probe.report import Report


class Blocker(msgspec.Struct, frozen=True, kw_only=True):
    """All couplings of one kind between a module and one other, in one direction."""

    kind: str
    other: str
    """The other module; empty when it may be any."""
    outgoing: bool
    """The module depends on the other one, and not the other way round."""
    cost: int
    couplings: tuple[Coupling, ...]


def blockers(report: Report, label: str) -> list[Blocker]:
    """What blocks a module, the hardest first."""
    groups: defaultdict[tuple[str, str, bool], list[Coupling]] = defaultdict(list)
    for coupling in report.couplings:
        if coupling.source == label:
            groups[coupling.kind, coupling.target, True].append(coupling)
        elif coupling.target == label:
            groups[coupling.kind, coupling.source, False].append(coupling)
    found = [
        Blocker(
            kind=kind,
            other=other,
            outgoing=outgoing,
            cost=BY_NAME[kind].cost * len(couplings),
            couplings=tuple(couplings),
        )
        for (kind, other, outgoing), couplings in groups.items()
    ]
    return sorted(found, key=lambda one: (-one.cost, one.kind, one.other, not one.outgoing))
