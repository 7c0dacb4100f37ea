"""How fast rows are read and written in bulk where others need the processors as well.

A part of them is to be idle. While more is, it goes faster, and slower while less is, by how far it
is from that. It begins slowly and goes twice as fast each time until too little is idle. What is
idle, the kernel says of this machine. Where the database has a machine of its own, the tool's is
idle enough; and where nothing is said (no Linux), it goes as fast as it can.
"""

import time
from pathlib import Path

_WINDOW = 0.1
"""Seconds that are looked at together: the kernel counts in hundredths of one."""
_IDLE = 0.2
"""Part of the processors' time that is to be left."""
_FIRST = 8e6
"""Bytes a second that it begins with. It never falls below this, nor below a part of the fastest
rate seen: what is begun must end one day."""
_LEAST = 0.2
_STEP = 0.6
"""How much the pace changes in a window for what is idle too much or too little: by 0.12 when
nothing is idle, by 0.48 when everything is."""
_SHORTEST = 0.002
"""Seconds that are worth a rest."""
_STAT = Path("/proc/stat")


class Pace:
    """Of one piece of work that is counted in bytes."""

    def __init__(self) -> None:
        self._limit = _FIRST
        self._starting = True
        self._best = 0.0
        self._begin()

    def keep(self, size: int) -> None:
        """Called after so many bytes: rests as long as it is ahead of its pace."""
        if not self._before[0]:
            return
        self._done += size
        passed = time.monotonic() - self._since
        ahead = self._done / self._limit - passed
        if ahead > _SHORTEST:
            time.sleep(ahead)
            passed = time.monotonic() - self._since
        if passed >= _WINDOW:
            self._look(self._done / passed)
            self._begin()

    def _begin(self) -> None:
        self._since = time.monotonic()
        self._done = 0
        self._before = _processors()

    def _look(self, rate: float) -> None:
        (begun, idle_begun), (now, idle_now) = self._before, _processors()
        if now <= begun:
            return
        idle = (idle_now - idle_begun) / (now - begun)
        self._best = max(self._best, rate)
        missing = _IDLE - idle
        if missing > 0:
            step = 0.5 if self._starting else 1 - _STEP * missing
            self._starting = False
            self._limit = max(min(self._limit, rate) * step, self._best * _LEAST, _FIRST)
        elif rate > self._limit / 2:  # else it is not this that keeps it back
            self._limit *= 2 if self._starting else 1 - _STEP * missing


def _processors() -> tuple[int, int]:
    """Their time so far and the idle part of it, in the kernel's ticks; zeros if it does not say.

    The columns are user, nice, system, idle, iowait, irq, softirq, steal (proc_stat(5)).
    """
    try:
        with _STAT.open() as lines:
            ticks = [int(word) for word in lines.readline().split()[1:9]]
    except (OSError, ValueError):
        return 0, 0
    return sum(ticks), sum(ticks[3:5])
