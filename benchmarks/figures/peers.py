"""How many events others deliver a second, beside ours: each in an environment of its own.

django-outbox-pattern empties its table into a broker that only counts, django-jaiminho its own into
a function that does nothing, Celery runs tasks over Redis. Ours is one worker process.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.context import Context
from benchmarks.figures.throughput import delivery
from benchmarks.results import Result

_PEERS = Path(__file__).parents[1] / "peers"
_DJANGO = ("django>=5.2,<5.3", "psycopg[binary]")
PEERS = {
    "django-outbox-pattern 3.2.1": (
        "outbox_pattern.py",
        ("django-outbox-pattern==3.2.1", *_DJANGO),
    ),
    "django-jaiminho 2.2.1": ("jaiminho_relay.py", ("django-jaiminho==2.2.1", *_DJANGO)),
    "Celery 5 over Redis": ("celery_redis.py", ("celery>=5,<6", "redis", "packaging")),
}


def run(context: Context) -> Iterator[Result]:
    """What one worker process of ours delivers in the same run, as a multiple of each."""
    if context.short:
        return  # it installs what it measures
    events = 2000
    ours = delivery(10 * events)
    rate = 10 * events / median(ours() for _ in range(3))
    for name, (script, packages) in PEERS.items():
        seconds = _seconds(script, packages, events)
        theirs = events / seconds if seconds else 0.0
        yield Result.count(
            rate / theirs if theirs else 0.0,
            figure="peers",
            what=f"events delivered a second / by {name}",
            database=context.database,
            goal=None,
            sense="at least",
            unit="x",
            note=f"{rate:.0f} against {theirs:.0f} a second" if theirs else "could not be run here",
        )


def _seconds(script: str, packages: tuple[str, ...], events: int) -> float:
    """For so many events, in an environment that is thrown away; 0 when it does not run here."""
    if script == "celery_redis.py" and not shutil.which("redis-server"):
        return 0.0
    uv = str(Path(sys.executable).with_name("uv"))
    wanted = [argument for package in packages for argument in ("--with", package)]
    ended = subprocess.run(
        [
            *(uv, "run", "-q", "--no-project", "--python", sys.executable, *wanted),
            *("python", str(_PEERS / script), os.environ["DATABASE_URL"], str(events)),
        ],
        cwd=_PEERS,
        env={
            name: value
            for name, value in os.environ.items()
            if name not in ("DJANGO_SETTINGS_MODULE", "PYTHONPATH")
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        sys.stderr.write(ended.stderr[-2000:])
        return 0.0
    return float(ended.stdout.splitlines()[-1])
