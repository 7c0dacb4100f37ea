"""A transaction of the control database, on Django's connection: the truth is in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connections, transaction

from monolift.lift.movers.sqlite.files import touch
from monolift.lift.moving import GaveUp
from monolift.registry.places import DEFAULT_ALIAS
from monolift.registry.sql import execute


@contextmanager
def controlling(budget: float) -> Iterator[Any]:
    """With the write lock from its begin, waited for up to `budget` seconds: what executes in it.

    Raises GaveUp when the lock cannot be had.
    """
    connection: Any = connections[DEFAULT_ALIAS]
    connection.ensure_connection()
    usual = int(connection.settings_dict["OPTIONS"].get("timeout", 5) * 1000)
    connection.connection.execute(f"PRAGMA busy_timeout = {int(budget * 1000)}")
    try:
        touch(connection.connection)  # before anybody waits
        with transaction.atomic(using=DEFAULT_ALIAS):
            # Django's default takes no lock before the first write: here is one, of nothing.
            execute(DEFAULT_ALIAS, "UPDATE monolift_fence SET open = open WHERE 0")
            yield connection.connection.execute
    except OperationalError as error:
        raise GaveUp(f"The control database could not be had: {error}.") from error
    finally:
        connection.connection.execute(f"PRAGMA busy_timeout = {usual}")
