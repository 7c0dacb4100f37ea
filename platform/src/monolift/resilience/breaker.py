"""A circuit breaker: stop asking what mostly fails, and try it again with one request.

After M. T. Nygard, "Release It!", with a share of failures over a window instead of a count, so
that one slow request among many good ones opens nothing. Nor do callers in a hurry, who give up
what would have been answered: see `Breaker.unanswered`.
"""

import os
import threading
import weakref
from collections.abc import Callable

from monolift.kernel import clock

WINDOW = 10.0
"""Seconds that are looked back."""
LEAST = 5
"""Failures below which nothing opens."""
SHARE = 0.5
"""Of the window's requests, from which on it opens."""
OPEN = 1.0
"""Seconds until one request may try again."""


class Breaker:
    """For one kind of request to one target, in one process. Safe for threads.

    Ask `admit` before a request and tell how it went by `succeeded`, `failed` or `unanswered`. A
    refusal that the other side gave on purpose, being busy included, is a success: it answers.
    """

    def __init__(
        self,
        *,
        name: str = "",
        open_for: float = OPEN,
        probe_for: float = 30.0,
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        """`probe_for` is how long one trial may take before another may be made beside it.

        One with a name is told of among `breakers()`.
        """
        self.name = name
        self._open_for = open_for
        self._probe_for = probe_for
        self._now = monotonic
        self.reset()
        _all.add(self)

    def reset(self) -> None:
        """Forget everything, as if it were new."""
        self._lock = threading.Lock()
        self._until = 0.0
        """Until when nothing is let through; 0 while it is closed."""
        self._began = self._now()
        self._good = self._bad = self._good_before = self._bad_before = 0
        self._silent_since = self._silent_last = 0.0
        """When the first and the last request began and ended that were given up without any
        answer in between; 0 while there was one."""

    @property
    def state(self) -> str:
        """`closed`, `open`, or `half-open`: the next request is the trial."""
        if not self._until:
            return "closed"
        return "open" if self._now() < self._until else "half-open"

    def admit(self) -> float:
        """0.0 when the request may go; else the seconds until one may be tried."""
        if not self._until:
            return 0.0
        with self._lock:
            left = self._until - self._now()
            if not self._until or left > 0:
                return max(left, 0.0)
            self._until = self._now() + self._probe_for  # this one is the trial, alone
            return 0.0

    def succeeded(self) -> None:
        """The other side answered."""
        if self._until:
            self.reset()
            return
        self._turn()
        self._good += 1
        self._silent_since = 0.0

    def failed(self) -> None:
        """It did not answer, or only that it cannot."""
        with self._lock:
            if self._until:
                self._until = self._now() + self._open_for
                return
            self._turn()
            self._bad += 1
            bad = self._bad + self._bad_before
            if bad >= LEAST and bad >= SHARE * (bad + self._good + self._good_before):
                self._until = self._now() + self._open_for

    def unanswered(self, *, waited: float, patience: float) -> None:
        """No answer came before the caller's own deadline, which was `waited` seconds away.

        That is a failure once nothing at all has been answered for `patience` seconds: one caller
        who has them finds out alone, callers in a hurry only together. So they open nothing for
        others while something is answered, and what hangs is found however short of time all are.
        A trial that was in a hurry says nothing: the next is made after as long a pause.
        """
        with self._lock:
            now = self._now()
            if self._until and waited < patience:
                self._until = min(self._until, now + min(waited, self._open_for))
                return
            if not self._silent_since or now - self._silent_last > WINDOW:
                self._silent_since = now - waited
            self._silent_last = now
            if now - self._silent_since < patience:
                return
        self.failed()

    def _turn(self) -> None:
        """Two half windows: the older one is forgotten as a whole."""
        age = self._now() - self._began
        if age < WINDOW / 2:
            return
        stale = age >= WINDOW
        self._good_before, self._bad_before = (0, 0) if stale else (self._good, self._bad)
        self._good = self._bad = 0
        self._began = self._now()


_all: "weakref.WeakSet[Breaker]" = weakref.WeakSet()


def breakers() -> dict[str, str]:
    """The states of this process's breakers that have names; of two with one name, the worse."""
    worse = ("closed", "half-open", "open")
    found: dict[str, str] = {}
    for breaker in tuple(_all):
        if breaker.name:
            state = breaker.state
            found[breaker.name] = max(found.get(breaker.name, state), state, key=worse.index)
    return dict(sorted(found.items()))


def _after_fork() -> None:
    """What the parent has seen says nothing of what the child will."""
    for breaker in _all:
        breaker.reset()


os.register_at_fork(after_in_child=_after_fork)
