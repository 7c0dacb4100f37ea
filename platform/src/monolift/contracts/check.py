"""Code against snapshots: what changed, whether it breaks, and whether the files say so.

What breaks is judged against the commit where this branch left the trunk, because that is what is
deployed; without one (no git, a first commit) against the files themselves. A shallow clone that
left it out is refused. Whether the files are up to date is a question of its own: a branch may
change a contract twice before anybody sees it.
"""

from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from monolift.contracts import accepted, history, snapshots
from monolift.contracts.compare import ACCEPTED, compare
from monolift.contracts.rules import Change, Verdict
from monolift.contracts.snapshots import Snapshots

WRITE = "monolift contracts write"


class Exit(IntEnum):
    """Exit codes of `monolift contracts check`."""

    EQUAL = 0
    """The snapshots say what the code says, and nothing breaks that was not accepted."""
    OUT_OF_DATE = 1
    """The snapshots, or the list of what is accepted, are not up to date; nothing breaks."""
    BREAKING = 2
    """Something breaks, and nobody has accepted it."""
    REFUSED = 3
    """The command line is wrong, or the contracts cannot be compared."""


class Checked(NamedTuple):
    """The outcome: the exit code, and the lines to print."""

    code: Exit
    lines: list[str]


def check(declared: Snapshots, *, folder: Path, against: str | None = None) -> Checked:
    """Compare what the code declares with the snapshots, now and before.

    Raises ContractError when a file cannot be read, `against` is no commit, or a shallow clone left
    out what to compare with.
    """
    present = snapshots.read(folder)
    outdated = compare(old=present, new=declared)
    stale = [path for path in present.keys() | declared.keys() if _differ(present, declared, path)]
    entries = _accepted_now(folder)
    lines: list[str] = []
    known: list[accepted.Acceptance] | None = None
    try:
        base = history.base(folder, against=against)
    except history.NoBase as missing:
        lines.append(f"Compared with the files only: {missing}.")
        changes = outdated
    else:
        before = snapshots.parse(base.files, where=f"{base.name}:{folder.name}")
        changes = compare(old=before, new=declared)
        where = f"{base.name}:{folder.name}/{ACCEPTED}"
        known = accepted.parse(base.files.get(ACCEPTED, ""), where=where)
        entries = accepted.new_entries(entries, known)
        if changes:
            lines.append(f"Since {base.name}:")
    unaccepted = []
    used: set[accepted.Acceptance] = set()
    for change in changes:
        entry = accepted.covers(entries, change) if change.verdict is Verdict.BREAKING else None
        if entry is not None:
            used.add(entry)
        elif change.verdict is Verdict.BREAKING:
            unaccepted.append(change)
        lines += _told(change, folder=folder.name, entry=entry)
    if stale:
        lines += _not_written(stale, outdated, changes, folder=folder.name)
    unused = [one for one in entries if one not in used] if known is not None else []
    lines += [
        f"{folder.name}/{ACCEPTED}: {one.contract}: {one.change!r} is no breaking change of this "
        "branch. Correct the entry or take it away."
        for one in unused
    ]
    if unaccepted:
        lines += _breaking(unaccepted, folder=folder.name)
        return Checked(Exit.BREAKING, lines)
    return Checked(Exit.OUT_OF_DATE if stale or unused else Exit.EQUAL, lines)


def _accepted_now(folder: Path) -> list[accepted.Acceptance]:
    file = folder / ACCEPTED
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return accepted.parse(text, where=f"{folder.name}/{ACCEPTED}")


def _differ(present: Snapshots, declared: Snapshots, path: str) -> bool:
    return present.get(path) != declared.get(path)


def _told(change: Change, *, folder: str, entry: accepted.Acceptance | None = None) -> list[str]:
    verdict = "ACCEPTED" if entry else change.verdict
    more = [entry.reason] if entry else [change.why, *filter(None, [change.way_out])]
    return [
        f"{folder}/{change.contract}: {verdict}: {change.words}.",
        *(f"    {line}" for line in more),
    ]


def _not_written(
    stale: list[str], outdated: list[Change], told: list[Change], *, folder: str
) -> list[str]:
    lines = []
    for change in outdated:
        if change not in told:
            lines += [f"{folder}/{change.contract}: not in the snapshot yet: {change.words}."]
    lines += [f"{folder}/{path} is not up to date." for path in sorted(stale)]
    return [*lines, f"Run `{WRITE}` and commit the files."]


def _breaking(changes: list[Change], *, folder: str) -> list[str]:
    count = f"{len(changes)} change{'s' if len(changes) > 1 else ''}"
    way_out = f"If nothing uses it any more, write the reason into {folder}/{ACCEPTED}:"
    return [
        f"{count} would break what is deployed or stored. {way_out}",
        "",
        *accepted.suggestion(changes).splitlines(),
    ]
