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
    events = "|".join(sorted(event.event_name for event in step.awaits))
    return f"{events}:{getattr(holder, step.match or '')}"


def find(record: Record, step: Step[Any], matches: str) -> Arrived | None:
    """The first event that came for a saga."""
    rows = fetch(
        record.alias,
        "SELECT event, name, body FROM monolift_arrival WHERE module = %s AND saga = %s "
        "AND matches = %s ORDER BY created_at, event LIMIT 1",
        (record.module, record.saga.saga_name, matches),
    )
    if not rows:
        return None
    identifier, name, body = rows[0]
    kind = next(event for event in step.awaits if event.event_name == name)
    return Arrived(identifier, msgspec.json.decode(body, type=kind))


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
        for event in step.awaits:
            subscriptions.add(
                Subscription(
                    event=event,
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
                "INSERT INTO monolift_arrival (module, saga, event, name, matches, body, "
                f"created_at) VALUES (%s, %s, %s, %s, %s, %s, {now(alias)}) ON CONFLICT DO NOTHING",
                (
                    saga.saga_owner,
                    saga.saga_name,
                    identifier,
                    event.event_name,
                    match_of(step, event),
                    msgspec.json.encode(event).decode(),
                ),
            )
            wake_after_commit(alias)

    return keep
