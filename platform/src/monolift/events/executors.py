"""Who runs the deliveries that are due: threads of the worker process, or Celery's workers.

The table is the truth for both; an executor only decides which process claims a row.
"""

from collections.abc import Sequence
from functools import cache
from typing import Protocol

from monolift.events import handling
from monolift.registry.settings import setting


class Executor(Protocol):
    """What the worker asks for work at each pass."""

    runs_here: bool
    """Whether the process that relays also runs."""

    def work(self, alias: str, modules: Sequence[str]) -> bool:
        """Run what is due for modules of a database, or have it run; False when nothing was."""
        ...


class Threads:
    """Runs deliveries in the worker's own threads."""

    runs_here = True

    def work(self, alias: str, modules: Sequence[str]) -> bool:
        """Run a batch of what is due."""
        return handling.run_due(alias, modules=modules)


@cache
def executor() -> Executor:
    """The executor that `MONOLIFT["EXECUTOR"]` names."""
    if setting("EXECUTOR") == "threads":
        return Threads()
    from monolift.events.celery import HandOut, application

    return HandOut(application())
