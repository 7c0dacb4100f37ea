"""Services that are changed together, and deployed together."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from math import exp

from monolift.lift.advice.change import together
from monolift.lift.advice.material import Material
from monolift.lift.advice.shares import counted, percent, share
from monolift.lift.advice.smells.services import services
from monolift.lift.advice.smells.smell import ONE, Smell, State, state
from monolift.lift.advice.tables import Deploy
from monolift.registry.topology import topology

_FIRST = re.compile(
    r"\b(?:needs?|requires?|after)\s+[\w-]+\s+(?:first|to be live)\b", re.IGNORECASE
)


def changed_together(material: Material) -> Smell:
    """Commits that touch the modules of several services."""
    limits = material.limits

    def smell(found: State, value: str, *which: str) -> Smell:
        return Smell(
            name="Co-change across services",
            state=found,
            value=value,
            alarm=f"> {percent(limits.CO_CHANGE)}",
            source=f"git, {limits.HISTORY_DAYS:g} d",
            found=which,
        )

    if len(services()) < 2:
        return smell(State.OK, ONE)
    past = material.history
    if isinstance(past, str):
        return smell(State.UNKNOWN, past)
    folders = {
        name: [folder for label in labels for folder in material.folders(label)]
        for name, labels in services().items()
    }
    shares = {}
    for name, found in together(past.commits, folders).items():
        if found[""] >= limits.FEWEST_COMMITS:
            shares[name] = share(found["*"], found[""])
    if not shares:
        few = f"no service has {limits.FEWEST_COMMITS:g} commits in {past.days:.0f} d"
        return smell(State.UNKNOWN, few)
    worst = max(shares, key=lambda name: shares[name])
    return smell(
        state(shares[worst] > limits.CO_CHANGE),
        f"{percent(shares[worst])} of the commits that touch {worst}",
        *(f"{name}: {percent(part)}" for name, part in shares.items() if part > limits.CO_CHANGE),
    )


def lock_step(material: Material) -> Smell:
    """Deploys of a service that come with those of another, more than by chance."""
    limits = material.limits
    span = timedelta(minutes=limits.LOCK_STEP_MINUTES)

    def smell(found: State, value: str, *which: str) -> Smell:
        return Smell(
            name="Lock-step deploys",
            state=found,
            value=value,
            alarm=f"> {percent(limits.LOCK_STEP)} within {limits.LOCK_STEP_MINUTES:g} min of "
            "another's, beyond chance",
            source="the deploy log, and what its notes say",
            found=which,
        )

    if len(services()) < 2:
        return smell(State.OK, ONE)
    if material.deploys is None:
        return smell(State.UNKNOWN, "there is no deploy log: give one with --deploys")
    times = _times(material.deploys)
    excess = {}
    for name, own in times.items():
        if len(own) >= limits.FEWEST_DEPLOYS:
            others = [at for other, them in times.items() if other != name for at, _ in them]
            excess[name] = beyond_chance(own, others, within=span)
    if not excess:
        few = f"no service has {limits.FEWEST_DEPLOYS:g} deploys in the log"
        return smell(State.UNKNOWN, few)
    worst = max(excess, key=lambda name: excess[name])
    return smell(
        state(excess[worst] > limits.LOCK_STEP),
        f"{percent(max(excess[worst], 0.0))} of {worst}'s beyond chance "
        f"({counted(len(times[worst]), 'deploy')})",
        *(f"{name}: {percent(part)}" for name, part in excess.items() if part > limits.LOCK_STEP),
    )


def beyond_chance(
    own: Iterable[tuple[datetime, bool]], others: Iterable[datetime], *, within: timedelta
) -> float:
    """The share of deploys near one of the others', less the share that chance would bring.

    Chance is that of deploys at random times (Poisson) over the span of all of them. A deploy whose
    notes say that it needs another first, or that carries both, counts whenever it is.
    """
    mine, theirs = list(own), sorted(others)
    if not mine:
        return 0.0
    near = sum(said or any(abs(at - other) <= within for other in theirs) for at, said in mine)
    moments = [at for at, _ in mine] + theirs
    whole = max(max(moments) - min(moments), 2 * within)
    chance = 1 - exp(-len(theirs) * (2 * within / whole))
    return near / len(mine) - (chance if theirs else 0.0)


def _times(deploys: Iterable[Deploy]) -> Mapping[str, list[tuple[datetime, bool]]]:
    """When each service was deployed, and whether the deploy itself says that it waits."""
    found: dict[str, list[tuple[datetime, bool]]] = {}
    for deploy in deploys:
        if deploy.live_at is None:
            continue
        names = {topology().place(label).deployable for label in deploy.modules}
        said = len(names) > 1 or _FIRST.search(deploy.notes) is not None
        for name in names:
            found.setdefault(name, []).append((deploy.live_at, said))
    return found
