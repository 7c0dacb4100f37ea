"""What an assessment is made of, each piece read once, or the reason why it is not there."""

from collections.abc import Collection
from functools import cached_property
from pathlib import Path

import msgspec

from monolift.boundaries.project import Project, ProjectError, find_root, read_project
from monolift.kernel import clock
from monolift.kernel.errors import MonoliftError
from monolift.lift.advice.history import History, NoHistory, history
from monolift.lift.advice.tables import Deploy, Incident, read_deploys, read_incidents
from monolift.lift.advice.thresholds import Thresholds, thresholds
from monolift.lift.rehearsal.report import Report
from monolift.observe import seen
from monolift.registry.modules import modules


class NotAssessed(MonoliftError):
    """It cannot be assessed at all; the message names the thing and the way out."""


class Material:
    """Everything that is measured, of the project of the working folder."""

    def __init__(
        self,
        *,
        deploys: Path | None = None,
        incidents: Path | None = None,
        rehearsal: Path | None = None,
        observed: Collection[Path] = (),
    ) -> None:
        known = frozenset(modules())
        self.deploys: list[Deploy] | None = (
            read_deploys(deploys, known=known) if deploys is not None else None
        )
        self.incidents: list[Incident] | None = (
            read_incidents(incidents, known=known) if incidents is not None else None
        )
        self.rehearsal: Report | None = _report(rehearsal) if rehearsal is not None else None
        self.observed = tuple(observed)
        self.limits: Thresholds = thresholds()
        try:
            self.project: Project = read_project(root=find_root())
        except ProjectError as error:
            raise NotAssessed(str(error)) from None

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.project.root

    @cached_property
    def seen(self) -> seen.Seen:
        """What the processes have written down in the last days."""
        for place in self.observed:
            if not place.is_dir():
                raise NotAssessed(f"{place} is no folder. Name one that processes have written to.")
        since = clock.now().timestamp() - seen.DAYS * 86400
        return seen.read(self.observed or None, since=since)

    @cached_property
    def history(self) -> History | str:
        """The commits; without enough of them, the reason."""
        try:
            return history(
                self.root,
                days=self.limits.HISTORY_DAYS,
                mass_edit=self.limits.MASS_EDIT,
                ticket=self.limits.TICKET,
            )
        except NoHistory as error:
            return str(error)

    def folders(self, label: str) -> tuple[str, ...]:
        """The folders of a module, relative to the project's."""
        found = self.project.by_label.get(label)
        return tuple(self.project.shown(folder) for folder in found.folders) if found else ()

    def all_folders(self) -> dict[str, tuple[str, ...]]:
        """Those of each module that is installed."""
        return {label: self.folders(label) for label in modules() if self.folders(label)}

    def owner(self, label: str) -> str:
        """The team of a module."""
        return modules()[label].owner


def _report(file: Path) -> Report:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Report, strict=False)
    except OSError as error:
        raise NotAssessed(f"{file} cannot be read: {error.strerror}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAssessed(
            f"{file} is no report of a rehearsal: {error}. Write one with "
            "`monolift rehearse --format json`."
        ) from None
