"""A worker handles events without end: `python -m benchmarks.many_events EVENTS`.

Run by `benchmarks.figures.memory`. Prints what is resident after a tenth of them and at the end, in
bytes. What is done is taken away on the way, as in production, so the tables stay small too.
"""

import json
import sys
import threading
from datetime import timedelta
from pathlib import Path

import django

CHUNK = 5000
_PATIENCE = 600.0


def main() -> None:
    """Announce, wait until all is handled, purge, again and again."""
    events = int(sys.argv[1])
    django.setup()
    from django.core.management import call_command

    from benchmarks.figures.throughput import announce
    from benchmarks.probe import handlers
    from monolift.events import retention
    from monolift.events.worker import Worker

    call_command("migrate", verbosity=0, run_syncdb=True)
    reached = threading.Semaphore(0)
    handlers.on_heard(lambda _: reached.release())
    worker = Worker()
    worker.start()
    early = 0
    try:
        for done in range(0, events, CHUNK):
            announce(CHUNK)
            for _ in range(CHUNK):
                if not reached.acquire(timeout=_PATIENCE):
                    raise TimeoutError(f"{done} of {events} events were handled.")
            retention.purge("default", older_than=timedelta(0), keys_older_than=timedelta(0))
            if not early and done + CHUNK >= events // 10:
                early = _resident()
    finally:
        worker.stop()
    sys.stdout.write(json.dumps([early, _resident()]))


def _resident() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


if __name__ == "__main__":
    main()
