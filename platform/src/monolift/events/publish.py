"""`publish()`: one statement that writes the event beside what made it true."""

import time
from typing import Any

import msgspec
from django.db import connections

from monolift.events.wake import wake_after_commit
from monolift.kernel import CallRefused, Event, OutsideTransaction, uuid7
from monolift.observe.trace import carried
from monolift.registry.scope import Scope, current
from monolift.registry.sql import now
from monolift.registry.topology import topology

_COLUMNS = "module, event, name, key, number, body, trace, cause, created_at"
_encode = msgspec.json.Encoder().encode


def publish(event: Event, /) -> None:
    """Announce a fact in the transaction that makes it true: both commit, or neither.

    Only inside `atomic()` (OutsideTransaction), and only the module's own events.
    """
    if not isinstance(event, Event):
        raise TypeError(f"publish() takes an event, not {event!r}.")
    scope = current()
    if not scope.depth:
        raise OutsideTransaction(
            f"{type(event).__name__} is published outside atomic(). Put publish() into the "
            "`with atomic():` block that writes what the event tells."
        )
    owner = event.event_owner
    alias = scope.alias or ""
    _refuse_foreign(scope, event, owner, alias)
    key_field = event.event_key
    key = None if key_field is None else str(getattr(event, key_field))
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(
            _statement(connection.vendor, alias),
            (
                owner,
                str(uuid7()),
                event.event_name,
                key,
                *_number(connection.vendor),
                owner,
                key,
                _encode(event).decode(),
                carried(),
                scope.operation,
            ),
        )
    wake_after_commit(alias)


def _refuse_foreign(scope: Scope, event: Event, owner: str, alias: str) -> None:
    if scope.managed and scope.module != owner:
        raise CallRefused(
            f"{scope.module} publishes {type(event).__name__}, which belongs to {owner}. "
            "A module announces its own facts: declare the event in its events.py."
        )
    if topology().alias(owner) != alias:
        raise OutsideTransaction(
            f"{type(event).__name__} belongs to {owner}, whose database is "
            f"{topology().alias(owner)!r}, but the open transaction is on {alias!r}."
        )


def _statement(vendor: str, alias: str) -> str:
    """The number orders the events of a key.

    It is the database's clock in microseconds, pushed past the key's last number: growing under the
    lock that the key's writers share, independent of sequences, and still growing after the table
    was purged or its rows moved to another database.
    """
    last = "(SELECT MAX(number) + 1 FROM monolift_outbox WHERE module = %s AND key = %s)"
    if vendor == "postgresql":
        clock = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint"
        number = f"GREATEST({clock}, COALESCE({last}, 0))"
    else:
        number = f"MAX(%s, COALESCE({last}, 0))"
    return (
        f"INSERT INTO monolift_outbox ({_COLUMNS}) "
        f"VALUES (%s, %s, %s, %s, {number}, %s, %s, %s, {now(alias)})"
    )


def _number(vendor: str) -> tuple[Any, ...]:
    return () if vendor == "postgresql" else (time.time_ns() // 1000,)
