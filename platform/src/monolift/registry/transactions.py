"""Finds a Django transaction that is open on this thread, whoever opened it.

`atomic()` knows its own depth; this second look is for code that uses Django's own `atomic`. It
remembers the connections that were ever opened on a thread, because asking `connections` for each
alias at each call costs several times a call.
"""

import threading
from typing import Any

from django.db import connections
from django.db.backends.signals import connection_created
from django.db.transaction import Atomic


class PlatformAtomic(Atomic):
    """The transaction of an `atomic()` of ours; its depth is known from the scope."""


class GroupAtomic(Atomic):
    """The shared transaction of a saga's fused steps, in which calls are allowed."""


class Seen(threading.local):
    """The connections of this thread, in one list that grows in place."""

    def __init__(self) -> None:
        self.connections: list[Any] = []


seen = Seen()


def _remember(connection: Any, **_: Any) -> None:
    if connection not in seen.connections:
        seen.connections.append(connection)


connection_created.connect(_remember, dispatch_uid="monolift.registry.transactions")


def remember_open_connections() -> None:
    """Learn of the connections that this thread opened before the library was loaded."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            _remember(connection)


def foreign_transaction() -> str | None:
    """The alias of a transaction opened here by other means than monolift's; None if there is none.

    A test case's own transaction does not count (it is what `durable=True` exempts as well).
    """
    for connection in seen.connections:
        blocks = connection.atomic_blocks
        if blocks:
            last = blocks[-1]
            if not last._from_testcase and not isinstance(last, PlatformAtomic | GroupAtomic):
                return str(connection.alias)
        elif (
            connection.connection is not None
            and not connection.autocommit
            and connection.settings_dict["AUTOCOMMIT"]
        ):
            return str(connection.alias)
    return None
