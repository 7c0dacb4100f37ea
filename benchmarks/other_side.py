"""The process that is woken: the library's worker, or the least that can be woken.

Prints the moment of each start (CLOCK_MONOTONIC, nanoseconds: one clock for all processes of the
machine). Ends when its standard input is closed.
"""

import os
import sys
import threading
import time
import uuid

import django


def main() -> None:
    """Wait for wake-ups until the other end closes."""
    role, way = sys.argv[1:]
    django.setup()
    from django.conf import settings

    settings.MONOLIFT["WAKE"] = way
    if role == "worker":
        _work()
    else:
        threading.Thread(target=_listen if way == "notify" else _receive, daemon=True).start()
        sys.stdin.read()


def _work() -> None:
    from benchmarks.probe import handlers
    from monolift.events.worker import Worker

    handlers.on_heard(_say)
    worker = Worker(threads=1)
    worker.start()
    _say(0)
    sys.stdin.read()
    worker.stop()


def _receive() -> None:
    from benchmarks.figures.delivery import bare_pipe, read_row

    os.mkfifo(bare_pipe())
    pipe = os.open(bare_pipe(), os.O_RDWR)  # also to write, so that opening waits for nobody
    _say(0)
    while True:
        read_row(uuid.UUID(os.read(pipe, 36).decode()))
        _say(time.monotonic_ns())


def _listen() -> None:
    from django.db import connections

    from benchmarks.figures.delivery import read_row

    with connections.create_connection("default").cursor() as cursor:
        cursor.execute("LISTEN benchmark")
        _say(0)
        for notification in cursor.connection.notifies():
            read_row(uuid.UUID(notification.payload))
            _say(time.monotonic_ns())


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
