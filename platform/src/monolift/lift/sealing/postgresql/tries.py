"""Locks that are asked for shortly and again: who waits for one holds up all who come behind."""

import time
from collections.abc import Callable

from django.db import OperationalError
from psycopg import errors

from monolift.lift.moving import GaveUp

PATIENCE = 0.1
"""Seconds for which a lock is waited for, at a time: writers wait as long."""
TRIES = 20
_REST = 0.25


def again[T](attempt: Callable[[], T], *, what: str) -> T:
    """Do what may not get its locks, until it does. Raises GaveUp."""
    reason: Exception | None = None
    for number in range(1, TRIES + 1):
        try:
            return attempt()
        except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
            reason = error
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.LockNotAvailable | errors.DeadlockDetected):
                raise
            reason = error
        time.sleep(_REST * min(number, 4) / 2)
    raise GaveUp(
        f"{what} did not get its locks in {TRIES} tries of {PATIENCE * 1000:.0f} ms: "
        f"{str(reason).splitlines()[0]}. Look in pg_stat_activity for a transaction that stays "
        "open."
    )


def patience() -> str:
    """The statement that makes this transaction ask shortly."""
    return f"SET LOCAL lock_timeout = '{int(PATIENCE * 1000)}ms'"
