"""What a probe found, in the shape of its JSON document."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

from monolift.boundaries.probe.couplings import Coupling, Reading
from monolift.boundaries.probe.cuts import Cycle, cycles
from monolift.boundaries.probe.graph import weights
from monolift.boundaries.probe.kinds import BY_NAME, KINDS, Kind
from monolift.boundaries.project import Project

VERSION = 1
"""Of the JSON document: it changes when a reader of an older one would be misled."""


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """One module, and how near it is to being liftable."""

    label: str
    packages: tuple[str, ...]
    files: int
    lines: int
    rank: int
    """1 is the nearest."""
    cost: int
    """What it takes to lift it: the cost of all couplings from it and to it."""
    outgoing: int
    """The part of it for couplings from the module: what its own team has to change."""
    incoming: int
    """The part of it for couplings to the module: what others have to change."""
    cycle: int | None
    """Place of its circle in `cycles`, from 0."""


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """All couplings from one module to another."""

    source: str
    target: str
    weight: int
    """What undoing them costs."""
    kinds: dict[str, int]
    """How many there are of each kind."""
    cut: bool
    """It is one of the edges to cut."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    format: str = "monolift-probe"
    version: int = VERSION
    settings: str
    django: str
    kinds: tuple[Kind, ...] = KINDS
    modules: tuple[Module, ...]
    """Nearest to being liftable first."""
    edges: tuple[Edge, ...]
    cycles: tuple[Cycle, ...]
    couplings: tuple[Coupling, ...]
    notes: tuple[str, ...] = ()
    """What could not be seen, and why."""


def make_report(
    project: Project, reading: Reading, *, django: str, notes: Iterable[str] = ()
) -> Report:
    """Put what was read into figures."""
    weight = weights(reading.couplings)
    circles = cycles([module.label for module in project.modules], weight)
    cut = {pair for circle in circles for pair in circle.cuts}
    counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for coupling in reading.couplings:
        counts[coupling.source, coupling.target][coupling.kind] += 1
    return Report(
        settings=project.settings,
        django=django,
        modules=_ranked(project, reading, circles),
        edges=tuple(
            Edge(
                source=source,
                target=target,
                weight=weight[source, target],
                kinds=_in_order(counts[source, target]),
                cut=(source, target) in cut,
            )
            for source, target in weight
        ),
        cycles=tuple(circles),
        couplings=reading.couplings,
        notes=tuple(notes),
    )


def _ranked(project: Project, reading: Reading, circles: list[Cycle]) -> tuple[Module, ...]:
    outgoing: Counter[str] = Counter()
    incoming: Counter[str] = Counter()
    for coupling in reading.couplings:
        outgoing[coupling.source] += BY_NAME[coupling.kind].cost
        if coupling.target:
            incoming[coupling.target] += BY_NAME[coupling.kind].cost
    circle_of = {name: index for index, circle in enumerate(circles) for name in circle.modules}
    nearest = sorted(
        project.modules,
        key=lambda module: (outgoing[module.label] + incoming[module.label], module.label),
    )
    return tuple(
        Module(
            label=module.label,
            packages=module.packages,
            files=reading.sizes[module.label].files,
            lines=reading.sizes[module.label].lines,
            rank=rank,
            cost=outgoing[module.label] + incoming[module.label],
            outgoing=outgoing[module.label],
            incoming=incoming[module.label],
            cycle=circle_of.get(module.label),
        )
        for rank, module in enumerate(nearest, start=1)
    )


def _in_order(counted: Counter[str]) -> dict[str, int]:
    return {kind.name: counted[kind.name] for kind in KINDS if counted[kind.name]}
