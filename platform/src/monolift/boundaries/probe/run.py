"""Probe a project: start it, read it, count."""

import contextlib
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from monolift.boundaries.probe import boot, parties
from monolift.boundaries.probe.couplings import read
from monolift.boundaries.probe.errors import ProbeError
from monolift.boundaries.probe.outside import outside
from monolift.boundaries.probe.report import Report, make_report
from monolift.boundaries.probe.sealed import sealed


def probe(
    *,
    settings: str,
    root: Path,
    groups: Path | None = None,
    only: Sequence[str] = (),
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Report:
    """The couplings of the Django project at `root` with these settings.

    It starts Django in this process, which can be done once. What the project prints while it loads
    goes to standard error. Raises ProbeError.
    """
    root = root.resolve()
    grouped = parties.read_groups(groups) if groups else None
    for folder in exclude:
        if not folder.strip("/"):
            raise ProbeError("--exclude names no folder.")
    with sealed(), warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        notes = boot.start(settings=settings, root=root)
        project = parties.make_project(
            root=root,
            settings=settings,
            only=only,
            include=include,
            exclude=[folder.strip("/") for folder in exclude],
            groups=grouped,
        )
        reading = read(project)
        notes += reading.notes
        if beside := outside(project, root):
            notes.append(beside)
    import django

    return make_report(project, reading, django=django.get_version(), notes=notes)
