"""What is cheaper than a lift and may be enough, each with the number that tells."""

from collections.abc import Iterable, Iterator

from django.apps import apps
from django.db import DatabaseError, connections

from monolift.events.lateness import lags
from monolift.kernel import Operation, clock, operations_of
from monolift.lift.advice.advice import Answer, Criterion, Outcome
from monolift.lift.advice.material import Material
from monolift.lift.advice.shares import counted, duration, percent, share
from monolift.lift.advice.traffic import cpu_share
from monolift.registry.modules import modules
from monolift.registry.settings import setting
from monolift.registry.sql import fetch
from monolift.registry.topology import topology

BACKLOG = 10.0
"""Seconds that the oldest delivery waits, from which on more workers help."""
READS = 0.8
"""Share of queries among the calls from which on a replica takes most of the load."""
SILENT = 0.3
"""Share of the time in commands without an answer from which on a queue helps."""
LONG_SCAN = 10_000
"""Rows read by the mean sequential scan, from which on an index helps."""
SCANS = 100
"""Sequential scans below which there is nothing to win."""


def cheaper(material: Material, label: str, criteria: Iterable[Criterion]) -> tuple[Answer, ...]:
    """Cheapest first."""
    by_number = {one.number: one for one in criteria}
    return (
        _index(label),
        _workers(label),
        _queue(material, label),
        _replica(material, label),
        _role(material, label, by_number),
    )


def _index(label: str) -> Answer:
    name, how = "an index", "CREATE INDEX, after EXPLAIN of its slowest statement"
    alias = topology().alias(label)
    here = topology().hosts(label)
    if not here or connections[alias].vendor != "postgresql":
        return Answer(name=name, helps=None, value="only PostgreSQL here counts scans", how=how)
    tables = [model._meta.db_table for model in apps.get_app_config(label).get_models()]
    try:
        rows = fetch(
            alias,
            "SELECT relname, seq_scan, seq_tup_read / seq_scan FROM pg_stat_user_tables "
            "WHERE relname = ANY(%s) AND seq_scan >= %s ORDER BY 3 DESC LIMIT 1",
            (tables, SCANS),
        )
    except DatabaseError as error:
        return Answer(name=name, helps=None, value=_away(error), how=how)
    if not rows:
        value = f"no table was scanned {SCANS} times"
        return Answer(name=name, helps=False, value=value, how=how)
    table, scans, read = rows[0]
    value = f"{table} was scanned {scans} times, {read} rows each"
    return Answer(name=name, helps=read >= LONG_SCAN, value=value, how=how)


def _workers(label: str) -> Answer:
    own = setting("WORKERS").get(label, 0)
    name, how = "more workers", f'MONOLIFT["WORKERS"] = {{"{label}": {own + 1}}}'
    if not topology().hosts(label) or not apps.is_installed("monolift.db"):
        return Answer(name=name, helps=None, value="its deliveries are not here", how=how)
    try:
        lag = next((one for one in lags(topology().alias(label)) if one.module == label), None)
    except DatabaseError as error:
        return Answer(name=name, helps=None, value=_away(error), how=how)
    due = lag.due if lag else 0
    since = lag.since if lag else None
    waited = max((clock.now() - since).total_seconds(), 0.0) if since else 0.0
    value = f"{counted(due, 'delivery').replace('deliverys', 'deliveries')} due"
    value += f", the oldest for {duration(waited)}" if due else ""
    value += f"; {counted(own, 'worker')} of its own"
    return Answer(name=name, helps=waited > BACKLOG, value=value, how=how)


def _queue(material: Material, label: str) -> Answer:
    name = "a queue"
    how = "make it a @task or an event: the caller does not wait"
    total = silent = 0.0
    for operation, calls, mean, answers in _calls(material, label):
        total += calls * mean
        if not answers and operation.kind == "command":
            silent += calls * mean
    if not total:
        return Answer(name=name, helps=None, value="no call of it was timed", how=how)
    part = share(silent, total)
    value = f"{percent(part)} of the time its callers wait is for commands without an answer"
    return Answer(name=name, helps=part > SILENT, value=value, how=how)


def _replica(material: Material, label: str) -> Answer:
    name, how = "a read replica", "a database alias for reads, by DATABASE_ROUTERS"
    calls = queries = 0
    for operation, count, _, _ in _calls(material, label):
        calls += count
        queries += count if operation.kind == "query" else 0
    if not calls:
        return Answer(name=name, helps=None, value="no call of it was counted", how=how)
    part = share(queries, calls)
    value = f"{percent(part)} of {counted(calls, 'call')} are queries"
    return Answer(name=name, helps=part >= READS, value=value, how=how)


def _role(material: Material, label: str, criteria: dict[str, Criterion]) -> Answer:
    """A process of its own gives D6 and D7 without moving a row."""
    name = "a role-only deployment"
    how = "a deployable that hosts this module, on the same database"
    forces = [criteria[number].outcome for number in ("D6", "D7") if number in criteria]
    helps = Outcome.PASS in forces or (None if Outcome.UNKNOWN in forces else False)
    cpu, part = cpu_share(material.seen, label)
    value = f"{percent(cpu)} of the CPU in {percent(part)} of the requests"
    if not material.seen.requests:
        value = "no request was weighed"
    return Answer(name=name, helps=helps, value=value, how=how)


def _calls(material: Material, label: str) -> Iterator[tuple[Operation, int, float, bool]]:
    counts: dict[str, list[float]] = {}
    for entry in material.seen.counted:
        known = counts.setdefault(entry.operation, [0, 0.0, 0])
        known[0] += entry.calls
        known[1] += entry.seconds
        known[2] += entry.timed
    for interface in modules()[label].provides:
        for operation in operations_of(interface).values():
            calls, seconds, timed = counts.get(operation.name, (0, 0.0, 0))
            answers = operation.returns not in (None, type(None))
            yield operation, int(calls), share(seconds, timed), answers


def _away(error: DatabaseError) -> str:
    return f"its database cannot be asked: {' '.join(str(error).split())[:100]}"
