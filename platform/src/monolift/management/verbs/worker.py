"""Relay events, run handlers, tasks and sagas, until SIGTERM.

With MONOLIFT["EXECUTOR"] = "celery" handlers and tasks are handed out to `monolift celery`; this
process still relays, runs the sagas, and hands out again what nobody has run.
"""

import argparse

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


def run(options: argparse.Namespace) -> int:
    """Work until told to stop; 1 when work was still running after the drain."""
    import signal
    import threading

    from monolift.events.worker import Worker

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    worker = Worker(threads=options.threads)
    worker.start()
    stop.wait()
    return 0 if worker.stop(timeout=options.drain) else 1
