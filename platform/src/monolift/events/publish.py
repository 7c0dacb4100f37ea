"""`publish()`: one statement that writes the event beside what made it true.

On PostgreSQL it travels with the COMMIT: nothing reads the event before.
"""

import time

import msgspec
from django.db import connections

from monolift.events.wake import wake_after_commit
from monolift.kernel import CallRefused, Event, OutsideTransaction
from monolift.kernel.ids import uuid7_text
from monolift.observe.trace import carried
from monolift.registry.direct import DirectStatement
from monolift.registry.scope import Scope, current
from monolift.registry.topology import topology

_encode = msgspec.json.Encoder().encode

# The number orders the events of a key, and tells when it was. It is the database's clock in
# microseconds since 1970, pushed past the key's last number: growing under the lock that the key's
# writers share, independent of sequences, and still growing after the table was purged or its rows
# moved to another database.
_COLUMNS = "module, event, name, key, body, trace, cause, number"
_LAST = "(SELECT MAX(number) + 1 FROM monolift_outbox WHERE module = %s AND key = %s)"
_POSTGRESQL = DirectStatement(
    f"INSERT INTO monolift_outbox ({_COLUMNS}) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, "
    "GREATEST((EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint, "
    f"COALESCE({_LAST}, 0)))",
    name="monolift_publish",
)
_SQLITE = DirectStatement(
    f"INSERT INTO monolift_outbox ({_COLUMNS}) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, "
    f"MAX(CAST(%s AS INTEGER), COALESCE({_LAST}, 0)))",
    name="monolift_publish",
)


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
    identifier = uuid7_text()
    key_field = event.event_key
    key = identifier if key_field is None else str(getattr(event, key_field))
    body = _encode(event).decode()
    row = (owner, identifier, event.event_name, key, body, carried(), scope.operation)
    connection = connections[alias]
    if connection.vendor == "postgresql":
        _POSTGRESQL.execute_with_commit(connection, (*row, owner, key))
    else:
        _SQLITE.execute(connection, (*row, str(time.time_ns() // 1000), owner, key))
    wake_after_commit(alias)


def _refuse_foreign(scope: Scope, event: Event, owner: str, alias: str) -> None:
    if scope.managed and scope.module != owner:
        raise CallRefused(
            f"{scope.module} publishes {type(event).__name__}, which belongs to {owner}. "
            "A module announces its own facts: declare the event in its events.py."
        )
    outer = scope.outer
    begun = outer is not None and owner in (scope.module, outer.module)
    # One that began where the module was ends there, or is refused by the database.
    if topology().alias(owner) != alias and not begun:
        raise OutsideTransaction(
            f"{type(event).__name__} belongs to {owner}, whose database is "
            f"{topology().alias(owner)!r}, but the open transaction is on {alias!r}."
        )
