"""The violations a project lives with for now: known by identity, and only ever fewer.

An entry says who reaches what under which rule; never a line, never a count. So moving code changes
nothing, a second use in the same function is the same violation, and one that is mended cannot be
exchanged for a new one.
"""

from collections.abc import Container, Iterable
from pathlib import Path

import msgspec

from monolift.boundaries.project import Project, ProjectError
from monolift.boundaries.violations import Violation, identifier
from monolift.contracts.history import NoBase, Shallow, base

_VERSION = 1


class Entry(msgspec.Struct, frozen=True, order=True, kw_only=True, forbid_unknown_fields=True):
    """One accepted violation."""

    module: str
    rule: str
    source: str
    target: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """Rule, source and target, as a violation has them."""
        return self.rule, self.source, self.target.casefold()

    @property
    def id(self) -> str:
        """The violation's short name."""
        return identifier(*self.identity)


class _Document(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    version: int
    violations: list[Entry]


class Compared(msgspec.Struct, kw_only=True):
    """Today's violations beside the baseline."""

    new: list[Violation]
    """Not in the baseline."""
    accepted: list[Violation]
    """In the baseline."""
    stale: list[Entry]
    """In the baseline, but no longer in the code."""
    grown: list[Entry]
    """In the baseline, but not where this branch left the trunk."""


def compare(
    project: Project, violations: Iterable[Violation], *, judged: Container[str] | None = None
) -> Compared:
    """Divide today's violations by the baseline. Raises ProjectError when it cannot be compared.

    `judged` are the rules that were fully judged; entries of others are never stale. None: all.
    """
    entries = {entry.identity: entry for entry in read(project)}
    found = sorted(violations)
    present = {violation.identity for violation in found}
    before = _before(project) if entries else None
    return Compared(
        new=[one for one in found if one.identity not in entries],
        accepted=[one for one in found if one.identity in entries],
        stale=[
            entry
            for identity, entry in sorted(entries.items())
            if identity not in present and (judged is None or entry.rule in judged)
        ],
        grown=[
            entry
            for identity, entry in sorted(entries.items())
            if before is not None and identity not in before
        ],
    )


def read(project: Project) -> list[Entry]:
    """The entries; none when there is no file."""
    file = _file(project)
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ProjectError(f"{project.baseline} cannot be read: {error.strerror}.") from None
    return _decoded(project, text)


def write(
    project: Project, violations: Iterable[Violation], *, judged: Container[str] | None = None
) -> list[Entry]:
    """Bring the file up to date, and say what it now holds.

    The first time it takes every violation. Later it only loses what is mended: what is new stays
    a violation. Entries of rules that were not `judged` stay; None: all rules were.
    """
    entries = {
        one.identity: Entry(module=one.module, rule=one.rule, source=one.source, target=one.target)
        for one in violations
    }
    if _file(project).exists():
        present = {entry.identity: entry for entry in read(project)}
        before = _before(project)
        entries = {
            identity: entry
            for identity, entry in present.items()
            if (judged is not None and entry.rule not in judged)
            or (identity in entries and (before is None or identity in before))
        }
    kept = sorted(entries.values())
    document = msgspec.json.encode(_Document(version=_VERSION, violations=kept))
    try:
        _file(project).write_bytes(msgspec.json.format(document, indent=2) + b"\n")
    except OSError as error:
        raise ProjectError(f"{project.baseline} cannot be written: {error.strerror}.") from None
    return kept


def _file(project: Project) -> Path:
    return project.root / project.baseline


def _before(project: Project) -> set[tuple[str, str, str]] | None:
    """The identities where this branch left the trunk; None when there was no baseline."""
    try:
        found = base(_file(project)).files.get(Path(project.baseline).name)
    except NoBase:
        return None
    except Shallow as error:
        raise ProjectError(f"{project.baseline} cannot be compared: {error}") from None
    return (
        None if found is None else {entry.identity for entry in _decoded(project, found.encode())}
    )


def _decoded(project: Project, text: bytes) -> list[Entry]:
    try:
        document = msgspec.json.decode(text, type=_Document)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"{project.baseline} is no baseline: {error}. Take it from version control, or delete "
            "it and write a new one with `monolift check --baseline`."
        ) from None
    if document.version != _VERSION:
        raise ProjectError(
            f"{project.baseline} has version {document.version}, and this monolift reads version "
            f"{_VERSION}. Install the monolift that wrote it."
        )
    return document.violations
