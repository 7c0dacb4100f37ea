"""A process of the project: how it is started, and how it is ended with all it has started."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from monolift.supervise.lifeline import end_with_parent
from monolift.supervise.restarts import Restarts


class Recipe(NamedTuple):
    """How a process is started and stopped."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = {}
    """Added to the supervisor's own."""
    folder: Path | None = None
    account: str | None = None
    """The user to run as; None: the supervisor's."""
    stop_signal: int = signal.SIGTERM
    """Asks it to finish what it does and end."""
    log: Path | None = None
    """A file for what it writes; None: the supervisor's own output."""
    drain: float = 10.0
    """Seconds it may take to end."""


class Process:
    """One running process. It leads a session of its own: Ctrl-C reaches only the supervisor."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.restarts = Restarts()
        self.start_at: float | None = None
        """When it is to be started again (monotonic), while it is down."""
        self._popen: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    @property
    def name(self) -> str:
        """What the supervisor calls it."""
        return self.recipe.name

    def start(self) -> None:
        """Start it; it ends with this process, however this process ends."""
        recipe = self.recipe
        output = recipe.log.open("ab") if recipe.log else None
        with output or contextlib.nullcontext():
            self._popen = subprocess.Popen(
                recipe.command,
                env={**os.environ, **recipe.environment},
                cwd=recipe.folder,
                user=recipe.account,
                group=recipe.account and _group_of(recipe.account),
                extra_groups=[] if recipe.account else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=partial(  # noqa: PLW1509 - the supervisor has one thread
                    end_with_parent, parent=os.getpid(), with_signal=recipe.stop_signal
                ),
            )
        self._started = time.monotonic()
        self.start_at = None

    @property
    def running(self) -> bool:
        """True from its start until `ended` has told its end."""
        return self._popen is not None

    @property
    def lived(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self._started

    def ended(self) -> int | None:
        """Its exit status, once, or minus the signal that ended it; None while it runs.

        What it has started and left behind is killed.
        """
        if self._popen is None:
            return None
        status = self._popen.poll()
        if status is not None:
            self._kill_group(self._popen.pid)
            self._popen = None
        return status

    def ask_to_end(self) -> None:
        """Send its stop signal."""
        if self._popen is not None:
            with contextlib.suppress(ProcessLookupError):
                self._popen.send_signal(self.recipe.stop_signal)

    def kill(self) -> None:
        """Kill it and all it has started."""
        if self._popen is not None:
            self._kill_group(self._popen.pid)
            self._popen.wait()
            self._popen = None

    @staticmethod
    def _kill_group(leader: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def _group_of(account: str) -> int:
    import pwd

    return pwd.getpwnam(account).pw_gid


def end_text(status: int) -> str:
    """How a process ended, in words: `exit code 3`, or `SIGKILL`."""
    if status >= 0:
        return f"exit code {status}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"signal {-status}"
