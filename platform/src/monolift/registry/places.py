"""Where each module runs and where its tables are."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from monolift.registry.settings import transport

DEFAULT_ALIAS = "default"
LOCAL = frozenset({"local", "loopback"})
REMOTE = "http"
REHEARSED = "rehearsed"
SHADOW = "shadow"
CANARY = "canary"
REHEARSAL = "MONOLIFT_REHEARSAL"
"""The environment variable that a rehearsed command inherits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """A second deployable that may answer for a module, on the same database, before it moves."""

    deployable: str
    mode: Literal["standby", "shadow", "canary"] = "standby"
    """`standby`: it is only there. `shadow`: it is asked as well, and the answers are compared.
    `canary`: a share of the calls goes to it."""
    percent: int = 0
    """The share of a canary."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where one module is: its deployable, how it is called from here, its database alias."""

    deployable: str
    route: str = "local"
    alias: str = DEFAULT_ALIAS
    trial: Trial | None = None

    @property
    def here(self) -> bool:
        """Whether it is in this deployable, wherever its calls go."""
        return self.deployable == here()


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployable:
    """A process role, and how others reach it."""

    url: str | None = None
    resilience: str = "own"
    """`own`, or `mesh` when a service mesh in front of it repeats requests and breaks circuits."""
    replicas: tuple[int, int] = (2, 6)
    """The fewest and the most web processes that an orchestrator keeps of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsal:
    """Modules that are called as if they were elsewhere, over a network that has its moods."""

    modules: tuple[str, ...]
    latency: float = 0.002
    """Seconds that a call takes longer, in the mean."""
    refused: float = 0.02
    """The share of requests that nobody takes."""
    lost: float = 0.02
    """The share of answers that do not arrive, after their effect."""
    twice: float = 0.02
    """The share of requests that arrive twice."""
    seed: int = 1
    until: float = 0.0
    """When it ends, in seconds since 1970; 0 for never."""
    folder: str = ""
    """Where each process tells what it has seen; empty for nowhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Topology:
    """The places of all modules at one epoch. Epochs only grow."""

    epoch: int = 0
    places: Mapping[str, Place] = field(default_factory=dict)
    deployables: Mapping[str, Deployable] = field(default_factory=dict)
    rehearsal: Rehearsal | None = None

    @property
    def control(self) -> str:
        """The deployable whose default database has the truth row: the file's first."""
        return next(iter(self.deployables), here())

    def place(self, module: str) -> Place:
        """The place of a module; the default alias, here, for one the file does not name."""
        return self.places.get(module) or placed(deployable=here())

    def alias(self, module: str | None) -> str:
        """The database alias of a module's tables; the default one for code outside modules."""
        if module is None:
            return DEFAULT_ALIAS
        place = self.places.get(module)
        return place.alias if place else DEFAULT_ALIAS

    def route(self, module: str) -> str:
        """How a module is called from here."""
        route = self.place(module).route
        if self.rehearsal is not None and module in self.rehearsal.modules and route in LOCAL:
            return REHEARSED
        return route

    def hosts(self, module: str) -> bool:
        """Whether this process may answer for a module: its code and its tables are here."""
        place = self.place(module)
        return place.here or _on_trial(place)

    def runs(self, module: str) -> bool:
        """Whether this process does a module's work: its deliveries, its sagas, its tasks.

        That is one deployable, also while a second one may answer calls.
        """
        return self.place(module).here

    @property
    def wanted(self) -> frozenset[str]:
        """The deployables that some module needs: where it is, and where it is on trial."""
        found = {self.control}
        for place in self.places.values():
            found.add(place.deployable)
            if place.trial is not None:
                found.add(place.trial.deployable)
        return frozenset(found)

    def moved(self, changes: Mapping[str, Place], *, epoch: int) -> "Topology":
        """The topology with some places changed. Raises ImproperlyConfigured for an unknown one."""
        for module, place in changes.items():
            named = {place.deployable} | ({place.trial.deployable} if place.trial else set())
            if self.deployables and (unknown := sorted(named - self.deployables.keys())):
                raise ImproperlyConfigured(
                    f"{module} is in the deployable {unknown[0]!r}, which the topology's "
                    f"file lacks. It has: {', '.join(sorted(self.deployables))}."
                )
            check_alias(f"The place of {module}", place)
        return replace(self, epoch=epoch, places={**self.places, **changes})


def here() -> str:
    """The deployable that this process is."""
    return os.environ.get("MONOLIFT_DEPLOYABLE", "shop")


def placed(*, deployable: str, alias: str = DEFAULT_ALIAS, trial: Trial | None = None) -> Place:
    """A place as this process sees it: only one that is elsewhere is reached by HTTP."""
    place = Place(deployable=deployable, route=transport(), alias=alias, trial=trial)
    if place.here:
        compared = trial is not None and trial.mode != "standby"
        return replace(place, route=trial.mode) if trial and compared else place
    return place if _on_trial(place) else replace(place, route=REMOTE)


def _on_trial(place: Place) -> bool:
    return place.trial is not None and place.trial.deployable == here()


def check_alias(where: str, place: Place) -> None:
    """Raise ImproperlyConfigured unless the project has the place's database."""
    if place.alias not in settings.DATABASES:
        raise ImproperlyConfigured(
            f"{where} is on the database {place.alias!r}, which DATABASES lacks. It has: "
            f"{', '.join(sorted(settings.DATABASES))}."
        )


def rehearsed() -> Rehearsal | None:
    """What `monolift rehearse` told this process and its parents, by the environment."""
    told = os.environ.get(REHEARSAL)
    return msgspec.json.decode(told, type=Rehearsal) if told else None
