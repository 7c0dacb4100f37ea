"""What a mover does: it takes a module's rows from one database to another while they are used.

There is one for each kind of database. The plan (`monolift.lift.plan`) knows no more than this.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from django.db import DatabaseError

from monolift.kernel.errors import MonoliftError
from monolift.truth.document import Document

type Evidence = Mapping[str, Any]
"""What was done and measured, as plain JSON. Times are in seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """From where to where a module's rows go."""

    module: str
    source: str
    """The alias that its tables are on."""
    target: str
    """The alias that they go to."""
    budget: float = 0.5
    """Seconds for which writers may be held up; beyond them the cut-over gives up by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a copy is."""

    rows: int
    total: int
    behind: int
    """What has changed at the source and is not at the target yet: rows, or bytes of a log."""


type Watch = Callable[[Progress], None]
"""Called from time to time while rows are copied."""


class Blocked(MonoliftError):
    """It cannot be done as things are; the message has the way out. Nothing was changed."""


class GaveUp(MonoliftError):
    """The cut-over did not come about within its budget. All is as it was before."""


def database_errors() -> tuple[type[Exception], ...]:
    """What a database that is away makes of a step: of Django's kind, and of the driver's, which a
    mover uses past it.
    """
    try:
        driver: type[Exception] = import_module("psycopg").Error
    except ModuleNotFoundError:
        return (DatabaseError,)
    return (DatabaseError, driver)


class Mover(Protocol):
    """Moves one module's rows. Each step can be called again, also after a crash in its middle.

    The rows are the module's tables and those of its rows in the platform's: outbox, deliveries,
    keys, sagas, arrivals.
    """

    def obstacles(self) -> list[str]:
        """What keeps the copy from beginning: each names the thing and the way out."""
        ...

    def begun(self) -> bool:
        """Whether rows have been copied, or are, and changes follow."""
        ...

    def statements(self) -> list[str]:
        """What it would run, for people to read."""
        ...

    def copy(self, watch: Watch) -> Evidence:
        """Copy all rows, and keep what changes coming from then on. Returns when it has caught up.

        Raises Blocked.
        """
        ...

    def progress(self) -> Progress:
        """How far the copy is behind now."""
        ...

    def rehearse(self) -> Evidence:
        """The whole cut-over, taken back before the commit: how long writers were held up.

        Raises GaveUp.
        """
        ...

    def cut_over(self, change: Callable[[], Document]) -> Evidence:
        """Hold writers up, catch up, and close the source in the commit that moves the truth.

        `change` writes the truth row within the control database's open transaction. Raises GaveUp
        when the budget does not suffice; killed anywhere, `recover` brings the old or the new state
        about.
        """
        ...

    def recover(self) -> None:
        """After a crash: undo what was half done, on whichever side the truth row says owns it."""
        ...

    def verify(self) -> Evidence:
        """Compare both sides row for row, as they were at the cut-over. `differences` is empty when
        they are equal.
        """
        ...

    def keep(self) -> list[str]:
        """Save the source's tables as they were at the cut-over, if a move back would take them
        away: what they are called now.
        """
        ...

    def drop(self) -> None:
        """Give a copy up before its cut-over: the target's rows go, and what fed them."""
        ...

    def finish(self) -> Evidence:
        """After the soak: end the feed back. The old tables stay, and stay locked."""
        ...
