"""What a worker looks after from time to time: lanes that a crash left, what is late, what is old.

Several workers may do it at the same time: every part of it may be done twice.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db import close_old_connections, connections, reset_queries

from monolift.events import handover, lanes, lateness, retention, timetable
from monolift.observe.logs import logger
from monolift.registry.fence import behind_a_fence
from monolift.registry.settings import setting
from monolift.registry.topology import modules_on

EVERY = 30.0
"""Seconds between two looks."""
PURGE_EVERY = 3600.0

log = logger("monolift.upkeep")

type Look = Callable[[str], object]
"""Looks after something on the database of an alias."""

_looks: list[Look] = []
_purges: list[Look] = []


def register_look(look: Look) -> None:
    """Let every worker look after more. Given by `monolift.sagas`."""
    if look not in _looks:
        _looks.append(look)


def register_purge(look: Look) -> None:
    """Let every worker take away more that is old. Given by `monolift.sagas`."""
    if look not in _purges:
        _purges.append(look)


def look_after(alias: str) -> None:
    """Everything but the purge, once."""
    lanes.sweep(alias, modules=modules_on(alias))
    timetable.plan(alias)
    while handover.hand_over(alias):
        pass
    lateness.tell(alias)
    for look in _looks:
        look(alias)


def purge(alias: str) -> None:
    """Take away what is older than the project wants to keep it."""
    retention.purge(
        alias,
        older_than=timedelta(days=setting("KEEP")),
        keys_older_than=timedelta(days=setting("KEEP_KEYS")),
    )
    for look in _purges:
        look(alias)


class Upkeep(threading.Thread):
    """A thread of its own, so that no event waits while rows are counted or taken away."""

    def __init__(self, aliases: Callable[[], Sequence[str]]) -> None:
        super().__init__(name="monolift-upkeep", daemon=True)
        self._aliases = aliases
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look at once, then from time to time, until `stop`."""
        purge_due = 0.0
        while not self._stopping.is_set():
            try:
                for alias in self._aliases():
                    look_after(alias)
                if time.monotonic() >= purge_due:
                    purge_due = time.monotonic() + PURGE_EVERY
                    for alias in self._aliases():
                        purge(alias)
            except Exception as error:  # a database that is away is asked again at the next look
                if behind_a_fence(error):
                    log.info("upkeep is cut short, because a module moves", reason=str(error))
                else:
                    log.error("upkeep did not get through", exc_info=error)
            reset_queries()
            close_old_connections()
            self._stopping.wait(EVERY)
        connections.close_all()

    def stop(self) -> None:
        """End after what is being done."""
        self._stopping.set()
