"""DBOS walks the steps of `benchmarks.probe.sagas`; run by `benchmarks.figures.sagas`.

Arguments: the server's URL, how many workflows. Prints the seconds of each as JSON. Each step sends
one statement of its own to a table like those of the saga's modules, and commits it.
"""

import json
import sys
import time
import uuid

import psycopg
from dbos import DBOS, SetWorkflowID

url, times = sys.argv[1], int(sys.argv[2])
base = url.rpartition("/")[0]
name = f"dbos_{uuid.uuid4().hex[:12]}"
with psycopg.connect(url, autocommit=True) as admin:
    admin.execute(f'CREATE DATABASE "{name}"')
database = f"{base}/{name}"
link = psycopg.connect(database, autocommit=True)
link.execute("CREATE TABLE hold (reference uuid PRIMARY KEY, sku text, state text)")
link.execute("CREATE TABLE note (id uuid PRIMARY KEY, text text, total bigint)")
DBOS(
    config={
        "name": "walk",
        "system_database_url": database.replace("postgres://", "postgresql://"),
        "log_level": "ERROR",
    }
)


@DBOS.step()
def hold(reference: str) -> None:
    """Hold stock."""
    link.execute("INSERT INTO hold VALUES (%s, 'MUG', 'held')", (reference,))


@DBOS.step()
def take(reference: str) -> None:
    """Take it."""
    link.execute("UPDATE hold SET state = 'taken' WHERE reference = %s", (reference,))


@DBOS.step()
def note(reference: str) -> None:
    """Note it."""
    link.execute("INSERT INTO note VALUES (%s, 'MUG', 1)", (reference,))


@DBOS.workflow()
def walk(reference: str) -> None:
    """Hold, take, note."""
    hold(reference)
    take(reference)
    note(reference)


DBOS.launch()
seconds = []
for _ in range(times + 5):
    reference = str(uuid.uuid4())
    began = time.perf_counter()
    with SetWorkflowID(reference):
        walk(reference)
    seconds.append(time.perf_counter() - began)
DBOS.destroy()
link.close()
with psycopg.connect(url, autocommit=True) as admin:
    admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
print(json.dumps(seconds[5:]))
