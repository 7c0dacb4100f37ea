"""Who runs where: the deployables with their modules, teams and databases."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import DatabaseError, connections

from monolift.kernel import clock
from monolift.lift.advice.evidence import Kind, drills
from monolift.lift.advice.material import Material
from monolift.lift.advice.shares import counted
from monolift.lift.advice.smells.smell import Smell, State, state
from monolift.registry.modules import modules
from monolift.registry.places import DEFAULT_ALIAS, here
from monolift.registry.topology import topology
from monolift.truth.document import Malformed, decode


def services() -> dict[str, list[str]]:
    """The modules of each deployable."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for label in sorted(modules()):
        found[topology().place(label).deployable].append(label)
    return dict(found)


def one_team(material: Material) -> Smell:
    """One team, many services."""
    limit = material.limits.SERVICES_PER_TEAM
    teams: defaultdict[str, set[str]] = defaultdict(set)
    for deployable, labels in services().items():
        for label in labels:
            teams[material.owner(label)].add(deployable)
    most = max((len(of) for of in teams.values()), default=0)
    return Smell(
        name="One team, many services",
        state=state(most > limit),
        value=f"{counted(most, 'service')} of one team at most",
        alarm=f"> {limit:g}",
        source="topology and owners",
        found=tuple(
            f"{team}: {', '.join(sorted(of))}"
            for team, of in sorted(teams.items())
            if len(of) > limit
        ),
    )


def dead_switch(material: Material) -> Smell:
    """A module that is out, and was not brought home and out again lately."""
    days = material.limits.DRILL_DAYS
    known = topology()

    def smell(found: State, value: str, *which: str) -> Smell:
        return Smell(
            name="Dead switch",
            state=found,
            value=value,
            alarm=f"a module that is out and did not move both ways for {days:g} d",
            source="the truth row's epochs, and recorded drills",
            found=which,
        )

    out = [label for label in modules() if known.place(label).deployable != known.control]
    if not out:
        return smell(State.OK, "no module is out")
    since = clock.now() - timedelta(days=days)
    moved: dict[str, set[Kind]] = {
        label: {one.kind for one in drills(label, Kind.OUT, Kind.HOME) if one.at >= since}
        for label in out
    }
    if known.control == here():
        try:
            for label, kind in _moves(known.control, since):
                moved.setdefault(label, set()).add(kind)
        except DatabaseError as error:
            return smell(State.UNKNOWN, f"the truth row cannot be read: {error}".strip())
    elif not all(moved.values()):
        return smell(State.UNKNOWN, f"the truth row is in {known.control!r}: ask there")
    dead = [label for label in out if moved[label] != {Kind.OUT, Kind.HOME}]
    value = f"{len(dead)} of {counted(len(out), 'module')} that are out"
    return smell(state(bool(dead)), value, *(f"{label} in {days:g} d" for label in dead))


def _moves(control: str, since: datetime) -> Iterator[tuple[str, Kind]]:
    """Modules that left home or came back since then."""
    with connections[DEFAULT_ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT document, created_at >= %s FROM monolift_truth ORDER BY epoch",
            [connections[DEFAULT_ALIAS].ops.adapt_datetimefield_value(since)],
        )
        rows = cursor.fetchall()
    before: dict[str, str] = {}
    for text, recent in rows:
        try:
            stays = decode(text).places
        except Malformed:
            continue  # of another version; what follows it is compared with what is known
        for label, stay in stays.items():
            was = before.get(label, control)
            if recent and stay.deployable != was and control in (stay.deployable, was):
                yield label, Kind.HOME if stay.deployable == control else Kind.OUT
            before[label] = stay.deployable
