"""Celery as executor: one queue per module, named like the module.

A message is a hint. It says that a module has work and carries nothing else; whoever gets it claims
deliveries from the table until none is due. So a lost message delays and never loses, one that
comes twice finds nothing to do, and the broker needs no durability. The worker process sends a hint
when there is work, and again at each look at the table while the work is still there.

    from monolift.events.celery import connect      # config/celery.py

    app = Celery("shop")
    connect(app)

and `MONOLIFT = {"EXECUTOR": "celery", "CELERY_APP": "config.celery.app"}`.
"""

import threading
import time
from collections.abc import Sequence
from typing import Any

from celery import Celery
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, reset_queries
from django.utils.module_loading import import_string

from monolift.events import deliveries, handling
from monolift.observe.logs import logger
from monolift.registry.fence import refused_by_fence
from monolift.registry.settings import setting
from monolift.registry.topology import topology

TASK = "monolift.work"
"""The task's name on the wire. It stays."""

TURN = 10.0
"""Seconds after which a hint's task makes room for those of other modules."""

log = logger("monolift.celery")


def connect(app: Celery) -> None:
    """Give a Celery application the task that runs a module's deliveries."""

    def work(*, module: str) -> None:
        run_lanes(app, module=module)

    app.task(work, name=TASK, shared=False, serializer="json", ignore_result=True)


def application() -> Celery:
    """The Celery application of the project, connected; ImproperlyConfigured without one."""
    path = setting("CELERY_APP")
    if not path:
        raise ImproperlyConfigured(
            "MONOLIFT['EXECUTOR'] is 'celery', but MONOLIFT['CELERY_APP'] names no application. "
            'Set it, for example to "config.celery.app".'
        )
    app = import_string(path)
    if TASK not in app.tasks:
        raise ImproperlyConfigured(
            f"{path} has no task {TASK!r}. Call monolift.events.celery.connect(app) beside it."
        )
    if not app.conf.broker_url:
        raise ImproperlyConfigured(f"{path} has no broker. Set REDIS_URL, or its broker_url.")
    return app


def run_lanes(app: Celery, *, module: str) -> None:
    """Run the due deliveries of one module; after a turn, send a hint for the rest."""
    if not topology().runs(module):
        return
    alias = topology().alias(module)
    until = time.monotonic() + TURN
    while _run_some(alias, module):
        reset_queries()  # with DEBUG, Django keeps each statement until a request begins
        if time.monotonic() >= until:
            with app.connection_for_write() as connection:
                send_hint(app, connection, module=module)
            return


def _run_some(alias: str, module: str) -> bool:
    try:
        return handling.run_due(alias, modules=[module])
    except DatabaseError as error:
        if not refused_by_fence(error):
            raise
        return False  # the worker sends hints for what is due where the module is now


def send_hint(app: Celery, connection: Any, *, module: str) -> None:
    """Tell the queue of a module that there is work."""
    app.tasks[TASK].apply_async(
        kwargs={"module": module},
        queue=module,
        connection=connection,
        retry=False,  # the next look at the table is the retry
    )


class HandOut:
    """The worker's side: sends hints for modules with due deliveries."""

    runs_here = False

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection: Any = None
        self._sending = threading.Lock()
        self._wanted: dict[str, Sequence[str]] = {}
        self._reachable = True

    def work(self, alias: str, modules: Sequence[str]) -> bool:
        """Send a hint for each module with due deliveries; always False: nothing is run here.

        A broker that does not answer is logged once and asked again at the next look.
        """
        self._wanted[alias] = modules
        # One thread sends; what another one wants meanwhile, it sends as well.
        while self._wanted and self._sending.acquire(blocking=False):
            try:
                self._hand_out(*self._wanted.popitem())
            finally:
                self._sending.release()
        return False

    def _hand_out(self, alias: str, modules: Sequence[str]) -> None:
        waiting = deliveries.waiting_modules(alias, modules) if modules else []
        try:
            for module in waiting:
                self._send(module)
        except Exception as error:  # of the broker's library, whichever it is
            self._disconnect()
            if self._reachable:
                self._reachable = False
                log.warning("broker does not answer", reason=str(error))
        else:
            if waiting and not self._reachable:
                self._reachable = True
                log.info("broker answers again")

    def _send(self, module: str) -> None:
        if self._connection is None:
            # A broker that is silent must not stop the relay, which shares this thread.
            self._connection = self._app.connection_for_write(
                connect_timeout=5,
                transport_options={"socket_timeout": 5, "socket_connect_timeout": 5},
            )
        # Whoever takes a hint that still waits will see all that is due now: another says nothing.
        if not self._waiting(self._connection, module):
            send_hint(self._app, self._connection, module=module)

    @staticmethod
    def _waiting(connection: Any, module: str) -> int:
        try:
            declared = connection.default_channel.queue_declare(module, passive=True)
        except connection.channel_errors:  # there is no such queue yet
            return 0
        return int(declared.message_count)

    def _disconnect(self) -> None:
        if self._connection is not None:
            try:
                self._connection.release()
            except Exception as error:
                log.debug("broker connection did not close", reason=str(error))
            self._connection = None
