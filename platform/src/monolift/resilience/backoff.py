"""Delays between attempts: exponential, capped, with full jitter (AWS Builders' Library)."""

import random

from monolift.registry.settings import setting

_random = random.Random()  # noqa: S311 - spreads load; nothing secret depends on it


def delay(*, attempt: int, first: float | None = None) -> float:
    """Seconds to wait after the `attempt`-th failure, counted from 1.

    `first` is the most after the first one, `MONOLIFT["BACKOFF"]` if it is not given.
    """
    base = setting("BACKOFF") if first is None else first
    ceiling = min(setting("BACKOFF_MAX"), base * 2 ** min(attempt - 1, 30))
    return _random.uniform(0, ceiling)


def until_it_works() -> float:
    """Seconds to wait for something that everybody waits for: half of some six, by default."""
    return delay(attempt=6)


def seed(value: int) -> None:
    """Make the jitter repeatable. For tests."""
    _random.seed(value)
