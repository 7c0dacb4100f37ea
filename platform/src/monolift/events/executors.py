"""Who runs the deliveries that are due: threads of the worker process, or Celery's workers.

The table is the truth for both; an executor only decides which process claims a row.
"""

from functools import cache
from typing import Protocol

from monolift.events import handling
from monolift.registry.settings import setting


class Executor(Protocol):
    """What the worker asks for work at each pass."""

    relays_to_itself: bool
    """Whether the process that relays runs what it relays."""

    def work(self, alias: str) -> bool:
        """Run one due delivery of a database, or have it run; False when nothing is left to do."""
        ...


class Threads:
    """Runs deliveries in the worker's own threads."""

    relays_to_itself = True

    def work(self, alias: str) -> bool:
        """Run the next due delivery."""
        return handling.run_due(alias)


@cache
def executor() -> Executor:
    """The executor that `MONOLIFT["EXECUTOR"]` names."""
    if setting("EXECUTOR") == "threads":
        return Threads()
    from monolift.events.celery import HandOut, application

    return HandOut(application())
