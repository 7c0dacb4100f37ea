"""Events that sagas await, kept from whenever they come until their step takes them."""

from dataclasses import dataclass
from typing import Any

import msgspec

from monolift.events import subscriptions
from monolift.events.subscriptions import Subscription
from monolift.events.wake import wake_after_commit
from monolift.kernel import Event, Saga, Step
from monolift.registry.atomic import atomic
from monolift.registry.scope import current
from monolift.registry.sql import execute, fetch, now
from monolift.sagas.record import Record


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event that waits for its step."""

    identifier: str
    event: Event


def match_of(step: Step[Any], holder: Saga | Event) -> str:
    """What an event carries, and a saga looks for, when they belong together."""
    event_name = step.awaits.event_name if step.awaits else ""
    return f"{event_name}:{getattr(holder, step.match or '')}"


def find(record: Record, step: Step[Any], matches: str) -> Arrived | None:
    """The first event that came for a saga."""
    rows = fetch(
        record.alias,
        "SELECT event, body FROM monolift_arrival WHERE module = %s AND saga = %s "
        "AND matches = %s ORDER BY created_at, event LIMIT 1",
        (record.module, record.saga.saga_name, matches),
    )
    if not rows or step.awaits is None:
        return None
    identifier, body = rows[0]
    return Arrived(identifier, msgspec.json.decode(body, type=step.awaits))


def take(record: Record, arrived: Arrived) -> None:
    """Remove an event in the commit of the step that it was for."""
    execute(
        record.alias,
        "DELETE FROM monolift_arrival WHERE module = %s AND saga = %s AND event = %s",
        (record.module, record.saga.saga_name, arrived.identifier),
    )


def subscribe_saga(saga: type[Saga]) -> None:
    """Let a saga hear of the events that its steps await."""
    for step in saga.saga_steps:
        if step.awaits is not None:
            subscriptions.add(
                Subscription(
                    event=step.awaits,
                    handler=_keeper(saga, step),
                    python_module=saga.__module__,
                    name=f"{saga.__name__}.{step.name}",
                )
            )


def _keeper(saga: type[Saga], step: Step[Any]) -> Any:
    def keep(event: Event) -> None:
        identifier = current().key
        with atomic():
            alias = current().alias or ""
            execute(
                alias,
                "INSERT INTO monolift_arrival (module, saga, event, matches, body, created_at) "
                f"VALUES (%s, %s, %s, %s, %s, {now(alias)}) ON CONFLICT DO NOTHING",
                (
                    saga.saga_owner,
                    saga.saga_name,
                    identifier,
                    match_of(step, event),
                    msgspec.json.encode(event).decode(),
                ),
            )
            wake_after_commit(alias)

    return keep
