"""Keeps processes alive until it is told to stop, then ends them in order."""

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Self

from monolift.supervise.processes import Process, Recipe, end_text
from monolift.supervise.restarts import QUICK

_TICK = 0.2
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(Exception):
    """Ctrl-C, SIGTERM, or the terminal was closed."""


class GivenUp(Exception):
    """A process does not stay alive; the message names it."""


def say(line: str) -> None:
    """A line for people. Nobody listening is no reason to stop."""
    with contextlib.suppress(OSError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _nothing() -> None:
    """What there is to look at by default."""


class Supervisor:
    """Use as a context: leaving it, in whichever way, ends every process it has started.

    One thread: signals and ends of processes wake a `select`, everything else happens between two
    of its returns.
    """

    def __init__(self) -> None:
        self._tiers: list[list[Process]] = []
        """The processes to keep alive, those started first in front."""
        self._ending: list[Process] = []
        """Those that are not kept any more, and may not have ended yet."""
        self._single: list[Process] = []
        """Those that end by themselves."""
        self._stopping = False
        self._signals = 0

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the select
        for number in _STOP_SIGNALS:
            signal.signal(number, self._stop_requested)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_all()
        signal.set_wakeup_fd(-1)
        os.close(self._reader)
        os.close(self._writer)

    def run_to_end(self, recipes: Sequence[Recipe]) -> list[int]:
        """Run processes that end by themselves, beside each other; their exit statuses."""
        self._single = [Process(recipe) for recipe in recipes]
        for process in self._single:
            process.start()
        statuses: dict[str, int] = {}
        while len(statuses) < len(self._single):
            self._wait()
            for process in self._single:
                if (status := process.ended()) is not None:
                    statuses[process.name] = status
        self._single = []
        return list(statuses.values())

    def keep(self, recipes: Sequence[Recipe]) -> list[Process]:
        """Start processes and keep them alive. Those started first are ended last."""
        tier = [Process(recipe) for recipe in recipes]
        self._tiers.append(tier)
        for process in tier:
            process.start()
        return tier

    def end(self, tier: list[Process]) -> None:
        """End processes that were kept, and keep them no more."""
        self._tiers.remove(tier)
        self._ending = tier
        self._end(tier)
        self._ending = []

    def until(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        """Keep the processes alive until `condition` holds; False when it does not in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= deadline:
                return False
            self._wait()
        return True

    def forever(self, look: Callable[[], None] = _nothing) -> None:
        """Keep the processes alive until StopRequested or GivenUp is raised.

        `look` is called several times a second; it may start processes and end them.
        """
        while True:
            self._wait()
            look()

    def _wait(self) -> None:
        with contextlib.suppress(InterruptedError):
            select.select([self._reader], [], [], _TICK)
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 4096)
        if self._signals and not self._stopping:
            raise StopRequested
        if not self._stopping:
            for tier in self._tiers:
                for process in tier:
                    self._revive(process)

    def _revive(self, process: Process) -> None:
        if process.start_at is not None:
            if time.monotonic() >= process.start_at:
                process.start()
            return
        lived = process.lived
        status = process.ended()
        if status is None:
            return
        delay = process.restarts.died(lived=lived)
        if delay is None:
            raise GivenUp(
                f"{process.name} ended again ({end_text(status)}), 5 times within "
                f"{QUICK:.0f} s of its start. Its last lines are above."
            )
        say(f"{process.name} ended ({end_text(status)}); it is started again in {delay:.0f} s.")
        process.start_at = time.monotonic() + delay

    def _stop_requested(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def _stop_all(self) -> None:
        self._stopping = True
        for tier in (self._single, self._ending, *reversed(self._tiers)):
            self._end(tier)

    def _end(self, tier: Sequence[Process]) -> None:
        seen = self._signals
        for process in tier:
            process.ask_to_end()
        began = time.monotonic()
        while any(_alive(process) for process in tier):
            late = (began + process.recipe.drain for process in tier if _alive(process))
            if time.monotonic() >= max(late, default=began) or self._signals > seen:
                break
            self._wait()
        for process in tier:
            if _alive(process):
                say(f"{process.name} does not end; it is killed.")
                process.kill()


def _alive(process: Process) -> bool:
    process.ended()
    return process.running
