"""The commits of a project, as git tells them: who changed which files, when.

Merges are left out: what they bring is in the commits that they merge. So is a mass edit, which
couples everything with everything and means nothing.
"""

import re
import subprocess
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from monolift.kernel import clock
from monolift.kernel.errors import MonoliftError

_FORMAT = "%x01%H%x00%ae%x00%ct%x00%B%x00"


class NoHistory(MonoliftError):
    """Git has nothing to say, or not enough; the message says why and what to do."""


class Commit(NamedTuple):
    """One commit, or all that belong to one ticket."""

    id: str
    author: str
    """The author's mail address, in small letters."""
    at: datetime
    files: frozenset[str]
    """Changed paths, relative to the project's folder."""

    def touches(self, folders: Iterable[str]) -> bool:
        """Whether it changes a file in one of the folders."""
        return any(file.startswith(f"{folder}/") for folder in folders for file in self.files)


class History(NamedTuple):
    """The commits of a span of time, newest first."""

    root: Path
    days: float
    """How far back it goes: the span that was asked for, or the age of the project."""
    whole: bool
    """The project is at least as old as the span that was asked for."""
    commits: tuple[Commit, ...]
    left_out: int
    """Mass edits."""


def history(root: Path, *, days: float, mass_edit: float, ticket: str = "") -> History:
    """Read the commits of the last `days`. Raises NoHistory.

    With `ticket`, a regular expression, commits whose messages name the same one are one.
    """
    since = clock.now() - timedelta(days=days)
    if not _git(root, "rev-parse", "--verify", "--quiet", "HEAD"):
        raise NoHistory(f"{root.name} has no git history here. Assess in a clone of the project.")
    oldest = _oldest(root)
    if _git(root, "rev-parse", "--is-shallow-repository") == "true" and oldest > since:
        raise NoHistory(
            f"the clone is shallow and goes back to {oldest:%Y-%m-%d} only. Fetch all of it: "
            "`git fetch --unshallow` (in CI: fetch-depth: 0)."
        )
    found = list(_commits(root, since=since))
    kept = [one for one, _ in found if len(one.files) <= mass_edit]
    left_out = len(found) - len(kept)
    if ticket:
        messages = {one.id: message for one, message in found}
        kept = _joined(kept, messages, re.compile(ticket))
    age = (clock.now() - oldest) / timedelta(days=1)
    return History(root, min(days, age), age >= days, tuple(kept), left_out)


def show(root: Path, commit: str, folder: str) -> dict[str, str]:
    """The JSON files of a folder at a commit, by their paths below it."""
    listed = _git(root, "ls-tree", "-r", "-z", "--name-only", commit, "--", folder)
    return {
        path.removeprefix(f"{folder}/"): _git(root, "show", f"{commit}:./{path}")
        for path in listed.split("\0")
        if path.endswith(".json")
    }


def before(root: Path, commit: str) -> str:
    """The first parent of a commit; empty when it has none."""
    return _git(root, "rev-parse", "--verify", "--quiet", f"{commit}^")


def _oldest(root: Path) -> datetime:
    """The newest of the commits that nothing is known before: each history is whole since then."""
    times = _git(root, "log", "--max-parents=0", "--format=%ct", "HEAD").split()
    return datetime.fromtimestamp(max(map(int, times)), UTC)


def _commits(root: Path, *, since: datetime) -> Iterator[tuple[Commit, str]]:
    text = _must(
        root,
        "log",
        "--no-merges",
        "--no-renames",
        "--relative",
        f"--since-as-filter={since.isoformat()}",  # also past commits whose dates are out of order
        "--name-only",
        "-z",
        f"--format={_FORMAT}",
        "HEAD",
    )
    for record in text.split("\x01")[1:]:
        name, author, seconds, message, *files = record.split("\0")
        yield (
            Commit(
                name,
                author.strip().lower(),
                datetime.fromtimestamp(int(seconds), UTC),
                frozenset(file.strip("\n") for file in files if file.strip("\n")),
            ),
            message,
        )


def _joined(
    commits: list[Commit], messages: dict[str, str], ticket: re.Pattern[str]
) -> list[Commit]:
    whole: dict[str, Commit] = {}
    for commit in commits:
        found = ticket.search(messages[commit.id])
        key = found[0] if found else commit.id
        known = whole.get(key)
        whole[key] = commit if known is None else known._replace(files=known.files | commit.files)
    return list(whole.values())


def _must(root: Path, *arguments: str) -> str:
    try:
        done = _run(root, *arguments)
    except FileNotFoundError:
        raise NoHistory("git is not installed.") from None
    if done.returncode:
        raise NoHistory(
            f"git (2.37 or newer is needed) cannot list the commits: {done.stderr.strip()[:200]}"
        )
    return done.stdout


def _git(root: Path, *arguments: str) -> str:
    """What git answers; empty when it fails or is not installed."""
    try:
        done = _run(root, *arguments)
    except FileNotFoundError:
        return ""
    return done.stdout.strip("\n") if done.returncode == 0 else ""


def _run(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["git", "-C", str(root), *arguments],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
