"""Relay events, run handlers, tasks and sagas, until SIGTERM.

With MONOLIFT["EXECUTOR"] = "celery" handlers and tasks are handed out to `monolift celery`; this
process still relays, runs the sagas, and hands out again what nobody has run.
"""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monolift.events.worker import Worker
    from monolift.gateway.status import Status

NEEDS_DJANGO = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--threads",
        type=int,
        choices=range(1, 65),
        metavar="N",
        help='threads, 1 to 64 (default: MONOLIFT["WORKER_THREADS"])',
    )
    parser.add_argument(
        "--drain",
        type=float,
        metavar="SECONDS",
        default=30.0,
        help="time for running work to end after SIGTERM (default: %(default)s)",
    )
    parser.add_argument(
        "--status-port",
        type=int,
        choices=range(1, 65536),
        metavar="PORT",
        help="answer /healthz and /metrics there, for an orchestrator",
    )
    parser.add_argument(
        "--status-host",
        metavar="HOST",
        default="127.0.0.1",
        help="on this address (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Work until told to stop; 1 when work was still running after the drain."""
    import signal
    import threading

    from monolift.events.worker import Worker

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    worker = Worker(threads=options.threads)
    status = _status(options, worker) if options.status_port else None
    worker.start()
    if status is not None:
        status.start()
    stop.wait()
    ended = worker.stop(timeout=options.drain)
    if status is not None:
        status.stop()
    return 0 if ended else 1


def _status(options: argparse.Namespace, worker: "Worker") -> "Status":
    from monolift.gateway.status import Status
    from monolift.management.errors import VerbError

    try:
        return Status(
            host=options.status_host, port=options.status_port, healthy=lambda: worker.working
        )
    except OSError as error:
        raise VerbError(
            f"Port {options.status_port} of {options.status_host} cannot be used: "
            f"{error.strerror}. Choose another --status-port."
        ) from None
