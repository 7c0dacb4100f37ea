"""Tasks that come round again: the next time of each is a row among the deliveries that are due.

Whoever plans it, however many and how often, plans the same row: its id is made of the task and the
time. Of one task a single row is pending or running, as of a lane, so two never run side by side;
the next time is planned when the one before has ended. A time that passed while nothing was there
to plan it is left out; one that was planned runs late, once.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from monolift.events.tasks import Task, all_tasks
from monolift.kernel.ids import uuid7_floor
from monolift.registry.sql import execute, fetch, moment, now
from monolift.registry.topology import modules_on


def plan(alias: str) -> list[str]:
    """Plan the next time of each recurring task of a database's modules; the tasks it was for."""
    planned = []
    for task in _recurring(alias):
        at = task.next_after(database_now(alias))
        _forget_failed(alias, task)
        try:
            with transaction.atomic(using=alias):
                if _insert(alias, task, at):
                    planned.append(task.name)
        except IntegrityError:
            continue  # one of this task is due, or runs: its end comes before the next time
    return planned


def database_now(alias: str) -> datetime:
    """The database's clock, which no worker's own can disagree with."""
    value: Any = fetch(alias, f"SELECT {now(alias)}")[0][0]
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _recurring(alias: str) -> Iterator[Task[Any]]:
    here = modules_on(alias)
    return (task for task in all_tasks() if task.schedule is not None and task.module in here)


def _forget_failed(alias: str, task: Task[Any]) -> None:
    """One that failed for good stays, for an operator to see, and holds up none after it."""
    execute(
        alias,
        "UPDATE monolift_delivery SET key = NULL WHERE module = %s AND publisher = %s "
        "AND key = %s AND target = '' AND state = 'failed'",
        (task.module, task.module, task.name),
    )


def _insert(alias: str, task: Task[Any], at: datetime) -> int:
    return execute(
        alias,
        "INSERT INTO monolift_delivery (module, event, subscriber, publisher, name, key, number, "
        "body, trace, state, attempts, token, failure, due_at, created_at) VALUES "
        "(%s, %s, %s, %s, %s, %s, 0, '{}', '', 'pending', 0, '', '', %s, "
        f"{now(alias)}) ON CONFLICT (module, event, subscriber) DO NOTHING",
        (
            task.module,
            identifier(task.name, at),
            task.name,
            task.module,
            task.name,
            task.name,
            moment(alias, at),
        ),
    )


def identifier(name: str, at: datetime) -> str:
    """The id of a task's run at a time: the same for all, and in the order of times like others."""
    digest = hashlib.sha256(f"{name} {at.isoformat()}".encode()).hexdigest()
    return f"{uuid7_floor(at)}{digest[:3]}-8{digest[3:6]}-{digest[6:18]}"
