"""Who runs the deliveries that are due: threads of the worker process, or Celery's workers.

The table is the truth for both; an executor only decides which process claims a row.
"""

from functools import cache
from typing import Protocol

from monolift.events import deliveries
from monolift.registry.settings import setting


class Executor(Protocol):
    """What the worker asks for work at each pass."""

    def work(self, alias: str) -> bool:
        """Run one due delivery of a database, or have it run; False when nothing is left to do."""
        ...


class Threads:
    """Runs deliveries in the worker's own threads."""

    def work(self, alias: str) -> bool:
        """Run the next due delivery."""
        return deliveries.run_next(alias)


@cache
def executor() -> Executor:
    """The executor that `MONOLIFT["EXECUTOR"]` names."""
    if setting("EXECUTOR") == "threads":
        return Threads()
    from monolift.events.celery import HandOut, application

    return HandOut(application())
