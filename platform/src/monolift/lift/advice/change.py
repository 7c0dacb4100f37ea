"""D2, D3, D8: how often the contract changes, what changes together, who changes it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import PurePosixPath

from monolift.contracts.compare import compare
from monolift.contracts.rules import Change, Verdict
from monolift.contracts.schema import ContractError
from monolift.contracts.snapshots import parse
from monolift.kernel import clock
from monolift.lift.advice.advice import Criterion, Outcome
from monolift.lift.advice.history import Commit, History, before, show
from monolift.lift.advice.material import Material, NotAssessed
from monolift.lift.advice.shares import counted, percent, share
from monolift.registry.settings import setting

MONTH = 30.0
CONTRACTS = "contracts"


def stable(material: Material, label: str) -> Criterion:
    """D2: the contract changes rarely, and nothing of it has broken lately."""
    limits, past = material.limits, material.history
    folders = material.folders(label)
    days = limits.STABLE_DAYS

    def criterion(outcome: Outcome, value: str) -> Criterion:
        return Criterion(
            number="D2",
            title="Boundary stable",
            outcome=outcome,
            value=value,
            source="git: interface.py, events.py; the verdict on contracts/",
            threshold=f"<= {limits.CONTRACT_CHANGES:g} changes a month, 0 breaking in {days:g} d",
        )

    if isinstance(past, str):
        return criterion(Outcome.UNKNOWN, past)
    changes = [one for one in past.commits if any(_contract(file, folders) for file in one.files)]
    monthly = len(changes) / max(past.days / MONTH, 1.0)
    recent = clock.now() - timedelta(days=days)
    broken = _broken(past, label, [one for one in past.commits if one.at >= recent])
    value = (
        f"{monthly:.1f} changes a month ({counted(len(changes), 'commit')} in {past.days:.0f} d), "
        f"{len(broken)} breaking"
    )
    if broken:
        value += f" ({broken[0].contract}: {broken[0].words})"
    if broken or monthly > limits.CONTRACT_CHANGES:
        return criterion(Outcome.FAIL, value)
    if past.days < days:
        reason = f"; the history goes back {past.days:.0f} d, and {days:g} d are needed"
        return criterion(Outcome.UNKNOWN, value + reason)
    return criterion(Outcome.PASS, value)


def _contract(file: str, folders: Iterable[str]) -> bool:
    for folder in folders:
        if file.startswith(f"{folder}/"):
            first = PurePosixPath(file.removeprefix(f"{folder}/")).parts[0]
            return first in ("interface.py", "events.py", "interface", "events")
    return False


def _broken(past: History, label: str, commits: Iterable[Commit]) -> list[Change]:
    """What the commits broke in the module's snapshots, accepted or not."""
    folder = f"{CONTRACTS}/{label}"
    found: list[Change] = []
    for commit in commits:
        if not commit.touches([folder]):
            continue
        states = [show(past.root, at, folder) for at in (before(past.root, commit.id), commit.id)]
        try:
            old, new = (
                parse({f"{label}/{path}": text for path, text in state.items()}, where=folder)
                for state in states
            )
        except ContractError as error:
            raise NotAssessed(f"Commit {commit.id[:12]}: {error}") from None
        found += [one for one in compare(old=old, new=new) if one.verdict is Verdict.BREAKING]
    return found


def together(
    commits: Iterable[Commit], groups: Mapping[str, Iterable[str]]
) -> dict[str, Counter[str]]:
    """For each group of folders: the commits that touch it.

    "" all of them, "*" those that touch any other group too, and each other group by its name.
    """
    found: dict[str, Counter[str]] = {name: Counter() for name in groups}
    for commit in commits:
        touched = [name for name, folders in groups.items() if commit.touches(folders)]
        for name in touched:
            found[name][""] += 1
            found[name]["*"] += len(touched) > 1
            found[name].update(other for other in touched if other != name)
    return found


def apart(material: Material, label: str) -> Criterion:
    """D3: what changes the module changes no other one."""
    limits, past = material.limits, material.history

    def criterion(outcome: Outcome, value: str) -> Criterion:
        return Criterion(
            number="D3",
            title="Low co-change",
            outcome=outcome,
            value=value,
            source=f"git, {limits.HISTORY_DAYS:g} d, by {'ticket' if limits.TICKET else 'commit'}",
            threshold=f"< {percent(limits.CO_CHANGE)}",
        )

    if isinstance(past, str):
        return criterion(Outcome.UNKNOWN, past)
    found = together(past.commits, material.all_folders()).get(label, Counter())
    total, shared = found.pop("", 0), found.pop("*", 0)
    value = f"{percent(share(shared, total))} ({shared} of {counted(total, 'commit')}"
    if found:
        partner, times = found.most_common(1)[0]
        value += f", most with {partner}: {times}"
    if past.left_out:
        value += f"; {counted(past.left_out, 'mass edit')} left out"
    value += ")"
    if total < limits.FEWEST_COMMITS:
        return criterion(Outcome.UNKNOWN, f"{value}: too few, {limits.FEWEST_COMMITS:g} are needed")
    good = share(shared, total) < limits.CO_CHANGE
    return criterion(Outcome.PASS if good else Outcome.FAIL, value)


def needed(material: Material, label: str) -> Criterion:
    """D8: a written need, or a team that has the module to itself."""
    limits, past = material.limits, material.history

    def criterion(outcome: Outcome, value: str) -> Criterion:
        return Criterion(
            number="D8",
            title="Different technology, compliance or owner",
            outcome=outcome,
            value=value,
            source="MONOLIFT['NEEDS']; CODEOWNERS' owners and git",
            threshold=f"written; or a team of >= {limits.TEAM:g} with > "
            f"{percent(limits.TEAM_SHARE)} of the commits",
        )

    need = str(setting("NEEDS").get(label, "")).strip()
    if need:
        return criterion(Outcome.PASS, f"written: {need}")
    if isinstance(past, str):
        return criterion(Outcome.UNKNOWN, f"no need is written; {past}")
    mine = [one for one in past.commits if one.touches(material.folders(label))]
    if len(mine) < limits.FEWEST_COMMITS:
        return criterion(
            Outcome.UNKNOWN,
            f"no need is written; {counted(len(mine), 'commit')}, {limits.FEWEST_COMMITS:g} are "
            "needed to tell a team",
        )
    owner = material.owner(label)
    teams = teams_of(material, past.commits)
    theirs = [one.author for one in mine if teams.get(one.author) == owner]
    people, part = len(set(theirs)), share(len(theirs), len(mine))
    value = f"no need is written; {people} of {owner} with {percent(part)} of the commits"
    good = people >= limits.TEAM and part > limits.TEAM_SHARE
    return criterion(Outcome.PASS if good else Outcome.FAIL, value)


def teams_of(material: Material, commits: Iterable[Commit]) -> dict[str, str]:
    """The team of each author: that whose modules they have changed most often.

    Owners are teams, and git knows people only.
    """
    owned: defaultdict[str, list[str]] = defaultdict(list)
    for label, folders in material.all_folders().items():
        owned[material.owner(label)] += folders
    work: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for commit in commits:
        for team, places in owned.items():
            if commit.touches(places):
                work[commit.author][team] += 1
    return {author: min(of, key=lambda team: (-of[team], team)) for author, of in work.items()}
