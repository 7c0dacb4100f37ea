"""Waking workers when something was committed. A wake-up is speed; polling is the safety net.

One process: a condition variable. Processes of one machine: a byte into each worker's named pipe,
in a folder. Several machines: PostgreSQL's NOTIFY, sent by a thread of its own so that no
transaction waits for it.
"""

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from django.db import connections

from monolift.registry.settings import setting
from monolift.transport.pipes import STALE, Knocker, Mailbox

CHANNEL = "monolift"


class Signal:
    """Counts wake-ups, so that one that comes before the wait is not lost."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count = 0

    def set(self) -> None:
        """Wake everyone who waits."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    @property
    def count(self) -> int:
        """Wake-ups so far: read it before looking for work, give it to `wait`."""
        return self._count

    def wait(self, seen: int, *, timeout: float) -> None:
        """Return at the first wake-up after `seen`, at the latest after `timeout` seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._count != seen, timeout)


signal = Signal()


def wake(alias: str) -> None:
    """Tell every worker that there is work."""
    signal.set()
    way = setting("WAKE")
    if way == "pipe":
        _knocker.knock(_folder())
    elif way == "notify" and connections[alias].vendor == "postgresql":
        _Notifier.send(alias)


def wake_after_commit(alias: str) -> None:
    """Wake when the open transaction has committed; never when it is rolled back."""
    connection = connections[alias]
    hook = _hook(alias)
    if any(entry[1] is hook for entry in connection.run_on_commit):
        return  # this transaction wakes already
    connection.on_commit(hook, robust=True)


@cache
def _hook(alias: str) -> Callable[[], None]:
    return partial(wake, alias)


_knocker = Knocker()


def _folder() -> Path:
    return _wake_folder(setting("DATA"))


@cache
def _wake_folder(data: Path | str) -> Path:
    return Path(data) / "wake"


class Listener(threading.Thread):
    """Turns knocks and notifications into the process's signal. One per worker process."""

    def __init__(self, aliases: list[str]) -> None:
        super().__init__(name="monolift-wake", daemon=True)
        self._stop_requested = threading.Event()
        self._mailbox = Mailbox(_folder())
        self._notifications = [
            _NotifyListener(alias)
            for alias in aliases
            if setting("WAKE") == "notify" and connections[alias].vendor == "postgresql"
        ]

    def run(self) -> None:
        """Listen until `stop`."""
        for listener in self._notifications:
            listener.start()
        # Who listed the folder just before this listener came does not know it yet: look once more.
        self._mailbox.wait(2 * STALE)
        signal.set()
        while not self._stop_requested.is_set():
            if self._mailbox.wait(1.0):
                signal.set()
        self._mailbox.close()

    def stop(self) -> None:
        """Stop listening and take the pipe back."""
        self._stop_requested.set()
        for listener in self._notifications:
            listener.stop_requested.set()
        self._mailbox.withdraw()
        self.join(5.0)


class _NotifyListener(threading.Thread):
    def __init__(self, alias: str) -> None:
        super().__init__(name=f"monolift-listen-{alias}", daemon=True)
        self.alias = alias
        self.stop_requested = threading.Event()

    def run(self) -> None:
        while not self.stop_requested.is_set():
            with contextlib.suppress(Exception):  # reconnected after a pause; polling covers it
                connection = connections[self.alias]
                connection.ensure_connection()
                with connection.cursor() as cursor:
                    cursor.execute(f"LISTEN {CHANNEL}")
                signal.set()
                while not self.stop_requested.is_set():
                    for _ in connection.connection.notifies(timeout=1.0, stop_after=1):
                        signal.set()
            connections[self.alias].close()
            self.stop_requested.wait(1.0)


class _Notifier(threading.Thread):
    """Sends NOTIFY on a connection of its own; many requests at once become one."""

    _one: "_Notifier | None" = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        super().__init__(name="monolift-notify", daemon=True)
        self.pending: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.pid = os.getpid()

    @classmethod
    def send(cls, alias: str) -> None:
        with cls._lock:
            if cls._one is None or cls._one.pid != os.getpid():
                cls._one = cls()
                cls._one.start()
        cls._one.pending.put(alias)

    def run(self) -> None:
        while True:
            aliases = {self.pending.get()}
            while not self.pending.empty():
                aliases.add(self.pending.get())
            for alias in aliases:
                try:
                    with connections[alias].cursor() as cursor:
                        cursor.execute(f"NOTIFY {CHANNEL}")
                except Exception:
                    connections[alias].close()
