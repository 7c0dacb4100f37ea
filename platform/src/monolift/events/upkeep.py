"""What a worker looks after from time to time: lanes that a crash left, what is late, what is old.

Several workers may do it at the same time: every part of it may be done twice.
"""

import threading
import time
from datetime import timedelta

from monolift.events import handover, lanes, lateness, retention
from monolift.registry.settings import setting

EVERY = 30.0
"""Seconds between two looks at a database."""
PURGE_EVERY = 3600.0


class Upkeep:
    """Looks after each database, one thread of the process at a time."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._purge_due: dict[str, float] = {}
        self._looking = threading.Lock()

    def work(self, alias: str) -> None:
        """Look after a database, if it is time."""
        moment = time.monotonic()
        if moment < self._due.get(alias, 0.0) or not self._looking.acquire(blocking=False):
            return
        try:
            self._due[alias] = moment + EVERY
            lanes.sweep(alias)
            while handover.hand_over(alias):
                pass
            lateness.tell(alias)
            if moment >= self._purge_due.get(alias, 0.0):
                self._purge_due[alias] = moment + PURGE_EVERY
                retention.purge(
                    alias,
                    older_than=timedelta(days=setting("KEEP")),
                    keys_older_than=timedelta(days=setting("KEEP_KEYS")),
                )
        finally:
            self._looking.release()
