"""Delays between attempts: exponential, capped, with full jitter (AWS Builders' Library)."""

import random

from monolift.registry.settings import setting

_random = random.Random()  # noqa: S311 - spreads load; nothing secret depends on it


def delay(*, attempt: int) -> float:
    """Seconds to wait after the `attempt`-th failure, counted from 1."""
    ceiling = min(setting("BACKOFF_MAX"), setting("BACKOFF") * 2 ** min(attempt - 1, 30))
    return _random.uniform(0, ceiling)


def seed(value: int) -> None:
    """Make the jitter repeatable. For tests."""
    _random.seed(value)
