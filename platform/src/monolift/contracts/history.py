"""The snapshots as they were before: what is deployed, as far as version control knows."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from monolift.contracts.schema import ContractError

# Where a branch usually comes from, the first that exists.
_TRUNKS = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


class Base(NamedTuple):
    """A commit to compare with: how it was found, and the texts below the contracts' folder."""

    name: str
    files: dict[str, str]


class NoBase(Exception):
    """There is nothing to compare with; the message says why."""


class Shallow(ContractError):
    """What to compare with was left out of this clone, so nothing can be said."""

    def __init__(self) -> None:
        super().__init__(
            "this clone is shallow and does not hold the commit to compare with. Fetch all of the "
            "history: `git fetch --unshallow` (in CI: fetch-depth: 0)."
        )


def base(folder: Path, *, against: str | None = None) -> Base:
    """The files of `folder` where this branch left the trunk.

    On the trunk itself that is the last commit while there are changes to it, else the one before.
    Raises NoBase without git or a trunk, Shallow when a shallow clone left them out, and
    ContractError when `against` is no commit.
    """
    here = folder.parent
    if against is not None:
        if not (commit := _git(here, "rev-parse", "--verify", "--quiet", f"{against}^{{commit}}")):
            raise ContractError(
                f"{against!r} is no commit here. Fetch it first, or name another with --against."
            )
        return Base(against, _files(here, commit, folder.name))
    commit = _merge_base(here)
    return Base(commit[:12], _files(here, commit, folder.name))


def _merge_base(here: Path) -> str:
    head = _git(here, "rev-parse", "--verify", "--quiet", "HEAD")
    if not head:
        raise NoBase("there is no git history here")
    trunk = next((name for name in _TRUNKS if _git(here, "rev-parse", "-q", "--verify", name)), "")
    if not trunk:
        _refuse_shallow(here)
        raise NoBase(f"none of the branches {', '.join(_TRUNKS)} is here; name one with --against")
    commit = _git(here, "merge-base", "HEAD", trunk)
    if not commit:
        _refuse_shallow(here)
        raise NoBase(f"{trunk} and HEAD have no common commit")
    if commit == head and not _git(here, "status", "--porcelain", "--untracked-files=no"):
        commit = _git(here, "rev-parse", "--verify", "--quiet", "HEAD^")
        if not commit:
            _refuse_shallow(here)
            return head  # the first commit of all
    return commit


def _refuse_shallow(here: Path) -> None:
    """Called where a commit is missing. A clone that left it out would pass every change."""
    if _git(here, "rev-parse", "--is-shallow-repository") == "true":
        raise Shallow


def _files(here: Path, commit: str, name: str) -> dict[str, str]:
    listed = _git(here, "ls-tree", "-r", "-z", "--name-only", commit, "--", name)
    found = {}
    for path in listed.split("\0"):
        if path:
            text = _git(here, "show", f"{commit}:./{path}")
            found[path.removeprefix(f"{name}/")] = text
    return found


def _git(here: Path, *arguments: str) -> str:
    """What git answers; empty when it fails or is not installed."""
    try:
        done = subprocess.run(
            ["git", "-C", str(here), *arguments],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
