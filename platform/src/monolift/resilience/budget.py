"""A retry budget: repeat a small share of the requests at most.

Retries help when little fails. When much does, they are the load that keeps it failing (Google,
"Site Reliability Engineering", chapter 22). So each request earns a tenth of a retry.
"""

import threading

SHARE = 0.1
"""Retries per request, in the long run."""
SAVED = 10.0
"""Retries that may be saved up."""
FIRST = 3.0
"""Retries that there are before any request."""


class Budget:
    """Shared by all requests of one process to one target. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = FIRST

    def earn(self) -> None:
        """A request is made."""
        self._left = min(self._left + SHARE, SAVED)

    def spend(self) -> bool:
        """Whether one more retry may be made; takes it off."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True
