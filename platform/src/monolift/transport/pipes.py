"""Wake-ups between processes of one machine: a named pipe for each who listens, in a folder.

A byte in a pipe that is open costs its sender a fraction of a datagram, and a pipe whose reader was
killed tells so.
"""

import contextlib
import errno
import fcntl
import os
import select
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from monolift.observe.logs import logger

STALE = 0.1
"""Seconds for which a `Knocker` believes that it knows everyone who listens."""

_SUFFIX = ".pipe"
_KNOCK = b"\0"

log = logger("monolift.pipes")


class Mailbox:
    """A pipe of this process, in a folder for others to find."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{uuid.uuid4().hex}{_SUFFIX}"
        self._lock = threading.Lock()
        self._open = True
        try:
            with _alone(folder):
                _forget_the_dead(folder)
                os.mkfifo(self._file)
                self._reader = os.open(self._file, os.O_RDONLY | os.O_NONBLOCK)
                # Held by the reader as well, or else the pipe ends with its first writer.
                self._writer = _opened(self._file)
        except OSError as error:
            log.warning("others cannot wake this process; it looks by itself", reason=str(error))
            self._reader, self._writer = os.pipe()
        self._poll = select.poll()
        self._poll.register(self._reader, select.POLLIN)

    def wait(self, timeout: float) -> bool:
        """True when somebody knocked within `timeout` seconds. Knocks may come together as one."""
        if not self._poll.poll(timeout * 1000):
            return False
        os.read(self._reader, 65536)
        return True

    def withdraw(self) -> None:
        """Take the pipe out of the folder, and wake who waits. Safe from other threads."""
        self._file.unlink(missing_ok=True)
        with self._lock:
            if self._open:
                os.write(self._writer, _KNOCK)

    def close(self) -> None:
        """Give the pipe back."""
        self._file.unlink(missing_ok=True)
        with self._lock:
            if self._open:
                self._open = False
                os.close(self._reader)
                os.close(self._writer)


class Knocker:
    """For who knocks often: keeps the pipes open, and looks for new ones when `STALE`."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._looked = 0.0
        self._pipes: dict[str, int] = {}
        # A pipe that one thread closes must not be another file's number when another writes.
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._begin_anew)

    def knock(self, folder: Path) -> None:
        """Wake everyone who listens there."""
        with self._lock:
            moment = time.monotonic()
            if folder is not self._folder or moment - self._looked > STALE:
                self._look(folder)
                self._looked = moment
            for name, pipe in tuple(self._pipes.items()):
                try:
                    os.write(pipe, _KNOCK)
                except BlockingIOError:
                    pass  # full of knocks that will be taken
                except OSError:
                    os.close(self._pipes.pop(name))

    def _look(self, folder: Path) -> None:
        if folder is not self._folder:
            self._forget()
            self._folder = folder
        names = set(_names(folder))
        for name in self._pipes.keys() - names:
            os.close(self._pipes.pop(name))
        for name in names - self._pipes.keys():
            with contextlib.suppress(OSError):
                self._pipes[name] = _opened(folder / name)

    def _forget(self) -> None:
        while self._pipes:
            os.close(self._pipes.popitem()[1])
        self._folder = None

    def _begin_anew(self) -> None:
        """A daemon closes files that it inherited: a child opens its own."""
        self._lock = threading.Lock()
        self._forget()


def knock(folder: Path) -> None:
    """Wake everyone who listens in a folder."""
    for name in _names(folder):
        with contextlib.suppress(OSError):
            pipe = _opened(folder / name)
            try:
                os.write(pipe, _KNOCK)
            finally:
                os.close(pipe)


def _opened(file: Path) -> int:
    """The end to write to; OSError when nobody reads."""
    return os.open(file, os.O_WRONLY | os.O_NONBLOCK)


def _names(folder: Path) -> list[str]:
    try:
        return [file.name for file in folder.iterdir() if file.name.endswith(_SUFFIX)]
    except OSError:
        return []


def _forget_the_dead(folder: Path) -> None:
    """Take away what killed processes left: a pipe that nobody reads cannot be opened."""
    for name in _names(folder):
        try:
            os.close(_opened(folder / name))
        except OSError as error:
            if error.errno == errno.ENXIO:
                (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else takes away a pipe that was made and is not read yet."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
