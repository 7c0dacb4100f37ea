"""What a stage is, and what it works with."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar

from django.conf import settings
from django.db import connections

from monolift.db.creating import create_if_missing
from monolift.lift.moving import Blocked, Evidence, Move, Mover, Progress
from monolift.registry.modules import modules
from monolift.registry.places import DEFAULT_ALIAS, Place, here
from monolift.registry.topology import topology, urls
from monolift.truth import row
from monolift.truth.document import Document, Stay
from monolift.truth.follow import spread

type Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What an operator may choose."""

    budget: float = 0.5
    """Seconds for which a cut-over may hold writers up."""
    watch_for: float = 5.0
    """Seconds for which rehearsal, shadow, each canary and soak look at what happens."""
    start_within: float = 120.0
    """Seconds that a service may take to start."""
    despite: bool = False
    """Go on although `assess` has found something in the way, or could not look."""
    write_file: bool = True
    """Let `finish` write the topology's file."""


@dataclass(kw_only=True)
class Lift:
    """One module on its way, as a stage sees it."""

    module: str
    evidence: Mapping[str, Any]
    wishes: Wishes = field(default_factory=Wishes)
    say: Say = lambda line: None
    watch: Callable[[Progress], None] = lambda progress: None
    check: Callable[[], None] = lambda: None
    """Raises Blocked when somebody else has taken the lift over."""
    note: Callable[[str, Evidence], None] = lambda what, evidence: None
    """Keeps, at once, what was found in a stage that may not come to its end."""

    @property
    def place(self) -> Place:
        """Where it is now."""
        return topology().place(self.module)

    @property
    def service(self) -> str:
        """The deployable that it is lifted into: the one of its own name."""
        return self.module

    @property
    def alias(self) -> str:
        """The database that it is sealed into: the one of its own name."""
        return self.module

    @property
    def away(self) -> str:
        """The database of its own that it is cut over to, on PostgreSQL."""
        return f"{self.module}_away"

    @cached_property
    def vendor(self) -> str:
        """The kind of the control database: "sqlite" or "postgresql"."""
        return connections[DEFAULT_ALIAS].vendor

    def mover(self, *, source: str, target: str) -> Mover:
        """What carries its rows."""
        move = Move(module=self.module, source=source, target=target, budget=self.wishes.budget)
        kind = import_module(f"monolift.lift.movers.{self.vendor}.mover")
        made: Mover = kind.mover(move)
        return made

    def make_database(self, alias: str) -> None:
        """Make the database of an alias, as the owner of its tables, unless there is one."""
        from monolift.lift.sealing.postgresql.sides import Side

        with closing(Side(self.module, alias).wrapper()) as connection:
            create_if_missing(connection)

    def change(self, stay: Stay) -> Document:
        """Write the next epoch of the truth row; part of the transaction that is open."""
        self.check()
        return row.change({self.module: stay})

    def changing(self, stay: Stay) -> tuple[Callable[[], Document], list[Document]]:
        """What writes the truth within somebody's commit, and where it leaves what it wrote."""
        written: list[Document] = []

        def change() -> Document:
            written[:] = [self.change(stay)]
            return written[0]

        return change, written

    def put(self, stay: Stay) -> Evidence:
        """Change the truth, and tell everyone; who could not be told."""
        return self.told(self.change(stay))

    def told(self, document: Document) -> Evidence:
        """Tell everyone what has been committed."""
        failed = spread(document)
        return {"epoch": document.epoch, **({"not told": failed} if failed else {})}

    def check_declared(self) -> None:
        """Blocked unless the topology declares what a lift of the module needs."""
        known = topology()
        if self.module not in modules():
            raise Blocked(
                f"{self.module!r} is no installed module. Installed: "
                f"{', '.join(sorted(modules()))}."
            )
        if known.control != here():
            raise Blocked(
                f"The truth row is in the deployable {known.control!r}, and this is {here()!r}. "
                f"Lift from there: MONOLIFT_DEPLOYABLE={known.control}."
            )
        if self.service not in known.deployables:
            raise Blocked(
                f"The topology's file has no [deployables.{self.service}]. Add it, and start the "
                "processes anew so that they know it."
            )
        for alias in (self.alias, self.away) if self.vendor == "postgresql" else (self.alias,):
            if alias not in settings.DATABASES:
                raise Blocked(
                    f"There is no database {alias!r}. Add [databases.{self.alias}] to the "
                    f"topology's file and {alias!r} to DATABASES, and start the processes anew."
                )

    def url(self) -> str:
        """Where the service is reached. Blocked when nobody says."""
        found = urls().get(self.service)
        if found is None:
            raise Blocked(
                f"Nothing says where {self.service} is reached. `monolift run` tells it to what it "
                f"starts; elsewhere give [deployables.{self.service}] a url, or MONOLIFT['URLS']."
            )
        return found


class Stage(ABC):
    """One step of a lift. Its docstring is its page in the playbook.

    Each method may be called again after it was killed in its middle.
    """

    name: ClassVar[str]
    way_back: ClassVar[str]
    """What `undo` does, in a few words."""
    holds_up: ClassVar[bool] = False
    """Whether writers may be waiting when it is killed."""

    def applies(self, lift: Lift) -> bool:
        """Whether it is part of this lift."""
        return True

    def plan(self, lift: Lift) -> list[str]:
        """What it would do, for --dry-run."""
        return []

    @abstractmethod
    def gate(self, lift: Lift) -> None:
        """Raise Blocked, with the way out, when it must not begin."""

    def mend(self, lift: Lift) -> None:  # noqa: B027 - most gates leave nothing
        """Put right what a gate that was killed has left; nothing of the stage is done yet."""

    @abstractmethod
    def apply(self, lift: Lift) -> Evidence:
        """Do it; what was measured."""

    @abstractmethod
    def undo(self, lift: Lift) -> Evidence:
        """Take it back; what was measured."""
