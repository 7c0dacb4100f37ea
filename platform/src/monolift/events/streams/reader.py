"""The thread that reads a stream, for the worker of a deployable."""

import threading

from django.db import close_old_connections, connections

from monolift.events.streams.arrive import take
from monolift.events.streams.port import Accept, Source
from monolift.kernel.errors import Unavailable
from monolift.observe.logs import logger
from monolift.resilience.backoff import delay

log = logger("monolift.streams")


class Reader(threading.Thread):
    """Receives until told to stop. Several may run, in any processes: the stream decides who reads.

    What fails is logged, once for each kind of failure in a row, and tried again after a pause: at
    first short, then longer. Nothing was acknowledged, so it comes again.
    """

    def __init__(self, source: Source, *, accept: Accept = take, wait: float = 1.0) -> None:
        super().__init__(name="monolift-stream", daemon=True)
        self._source = source
        self._accept = accept
        self._wait = wait
        self._stopping = threading.Event()

    def run(self) -> None:
        """Receive until `stop`."""
        failed = 0
        told = ""
        while not self._stopping.is_set():
            try:
                if not failed:
                    close_old_connections()
                self._source.receive(accept=self._accept, wait=self._wait)
                failed, told = 0, ""
            except Exception as error:
                failed += 1
                close_old_connections()
                if told != (told := f"{type(error).__name__}: {error}"):
                    report = log.warning if isinstance(error, Unavailable) else log.error
                    report("stream cannot be read", reason=told)
                self._stopping.wait(delay(attempt=failed))
        self._source.stop()
        connections.close_all()

    def stop(self, *, timeout: float = 30.0) -> bool:
        """Let what is being kept be kept, and end; False when it still runs after `timeout`."""
        self._stopping.set()
        self.join(timeout)
        return not self.is_alive()
