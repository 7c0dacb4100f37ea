"""DBOS walks the saga of three steps; run by `benchmarks.figures.sagas` on the same server.

Argument: how many workflows. Prints the seconds of each as JSON. Its steps are those of
`benchmarks.probe.sagas` by hand: the same rows by the same ORM in the same transactions. What our
modules keep beside them is not written: the key that makes a repeated step harmless, and the timer
of the hold.
"""

import gc
import json
import os
import sys
import time
import uuid

import django
import psycopg
from dbos import DBOS, SetWorkflowID

django.setup()

from benchmarks import byhand, goods  # noqa: E402 - their models need Django set up

times = int(sys.argv[1])
url = os.environ["DATABASE_URL"]
system = f"dbos_{uuid.uuid4().hex[:12]}"
with psycopg.connect(url, autocommit=True) as admin:
    admin.execute(f'CREATE DATABASE "{system}"')
place = f"{url.rpartition('/')[0]}/{system}".replace("postgres://", "postgresql://")
DBOS(config={"name": "walk", "system_database_url": place, "log_level": "ERROR"})


def nothing() -> None:
    """Stands where our library would write."""


@DBOS.step()
def hold(reference: uuid.UUID, sku: str) -> None:
    """Hold stock."""
    byhand.hold(reference=reference, sku=sku, platform=nothing)


@DBOS.step()
def take(reference: uuid.UUID) -> None:
    """Take it."""
    byhand.take(reference=reference, platform=nothing)


@DBOS.step()
def note(reference: uuid.UUID, sku: str) -> None:
    """Note it."""
    byhand.note(reference=reference, sku=sku, platform=nothing)


@DBOS.workflow()
def walk(reference: uuid.UUID, sku: str) -> None:
    """Hold, take, note."""
    hold(reference, sku)
    take(reference)
    note(reference, sku)


DBOS.launch()
seconds = []
gc.collect()
gc.disable()  # as for ours
for _ in range(times + 5):
    reference = uuid.uuid4()
    began = time.perf_counter()
    with SetWorkflowID(str(reference)):
        walk(reference, goods.SKUS[0])
    seconds.append(time.perf_counter() - began)
DBOS.destroy()
with psycopg.connect(url, autocommit=True) as admin:
    admin.execute(f'DROP DATABASE "{system}" WITH (FORCE)')
print(json.dumps(seconds[5:]))
