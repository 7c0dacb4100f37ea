"""Keeping a long-running process's topology the one in force.

In the control deployable by the row, in the others by the copy on disk and by asking. A NOTIFY or a
byte in a pipe says that there is news; a look from time to time finds what none of them told.
"""

import atexit
import os
import threading
from importlib import import_module
from typing import Any

from django.db import connections

from monolift.kernel.clock import monotonic
from monolift.observe.logs import logger
from monolift.registry.places import DEFAULT_ALIAS, Rehearsal, here
from monolift.registry.settings import setting
from monolift.registry.topology import decided_by, topology
from monolift.transport.pipes import Mailbox, knock
from monolift.truth import copy, learning, presence, row
from monolift.truth.document import Document, Stay

ASK_EVERY = 5.0
"""Seconds after which a deployable that was told nothing asks the control deployable."""
CHANNEL = "monolift_topology"

log = logger("monolift.topology")

_follower: "_Follower | None" = None
_lock = threading.Lock()


def follow() -> None:
    """Follow changes from now on, in a thread; once for each process. Cheap to call again."""
    global _follower
    if _follower is None and decided_by() is not None:
        with _lock:
            if _follower is None:
                _follower = _Follower()
                _follower.start()


def change(places: dict[str, Stay], *, rehearsal: Rehearsal | None = None) -> Document:
    """See `row.change`; and tell everyone. Not in a transaction."""
    document = row.change(places, rehearsal=rehearsal)
    spread(document)
    return document


def spread(document: Document) -> dict[str, str]:
    """Tell everyone what has been committed; deployables that could not be told, and why.

    They find it by themselves within `ASK_EVERY` seconds.
    """
    learning.learn(document)
    copy.store(document)
    connection: Any = connections[DEFAULT_ALIAS]
    if setting("WAKE") == "notify" and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    knock(copy.folder())
    told: dict[str, str] = _client().tell() if len(topology().wanted) > 1 else {}
    return told


class _Follower(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="monolift-topology", daemon=True)
        self._mailbox = Mailbox(copy.folder())
        self._failing = ""
        self._listening: Any = None
        self._told: tuple[int, float] = (-1, 0.0)
        atexit.register(self._mailbox.withdraw)

    def run(self) -> None:
        while True:
            try:
                if topology().control == here():
                    self._look_at_row()
                else:
                    self._look_around()
                self._failing = ""
                self._tell()
                self._wait()
            except Exception as error:  # whoever is away now is asked again
                if str(error) != self._failing:  # once, not every second
                    self._failing = str(error)
                    log.warning("news of the topology cannot be had", reason=self._failing)
                self._listening = None
                connections.close_all()
                self._mailbox.wait(setting("POLL"))

    def _look_at_row(self) -> None:
        connection: Any = connections[DEFAULT_ALIAS]
        if row.epoch(connection) > topology().epoch:
            document = row.latest(connection)
            learning.learn(document)
            copy.store(document)

    def _look_around(self) -> None:
        document = copy.load()
        if document is not None and document.epoch > topology().epoch:
            learning.learn(document)
        if copy.age() > ASK_EVERY:
            try:
                learning.learn(_client().ask(), from_control=True)
            finally:
                copy.confirm()  # also after a failure: one of the processes asks, not each

    def _tell(self) -> None:
        epoch, at = self._told
        if topology().epoch != epoch or monotonic() - at >= presence.BEAT:
            presence.tell()
            self._told = (topology().epoch, monotonic())

    def _wait(self) -> None:
        connection: Any = connections[DEFAULT_ALIAS]
        notified = setting("WAKE") == "notify" and connection.vendor == "postgresql"
        if not notified or topology().control != here():
            self._mailbox.wait(setting("POLL"))
            return
        if self._listening is None or self._listening is not connection.connection:
            connection.ensure_connection()
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._listening = connection.connection
            return  # what came before is looked for once more
        for _ in connection.connection.notifies(timeout=setting("POLL"), stop_after=1):
            pass


def _client() -> Any:
    """Loaded when there is somebody to ask: who has one deployable needs no urllib3."""
    return import_module("monolift.truth.client")


def _forget() -> None:
    """A child process begins without its parent's threads."""
    global _follower
    _follower = None


os.register_at_fork(after_in_child=_forget)
