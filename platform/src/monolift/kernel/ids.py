"""Identifiers: UUIDv7 (RFC 9562), so that keys are made without a database and sort by time."""

import secrets
import threading
import time
from datetime import datetime
from random import getrandbits
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A new time-ordered UUID; strictly increasing within one process.

    48 bits of Unix milliseconds, then 12 bits of sub-millisecond time (RFC 9562, method 3), then
    62 random bits.
    """
    ticks = _next_ticks()
    value = (ticks >> 12 & (1 << 48) - 1) << 80
    value |= 0x7 << 76
    value |= (ticks & 0xFFF) << 64
    value |= 0b10 << 62
    value |= secrets.randbits(62)
    return UUID(int=value)


def uuid7_text() -> str:
    """A new UUIDv7 as text, for the rows of a log: a fraction of the cost of `str(uuid7())`.

    Its random bits come from a generator that the system seeded once for this process (and again
    after a fork): unique as the others are, but no secret.
    """
    ticks = _next_ticks()
    low = getrandbits(62)
    return (
        f"{ticks >> 28 & 0xFFFFFFFF:08x}-{ticks >> 12 & 0xFFFF:04x}-7{ticks & 0xFFF:03x}-"
        f"{0x8000 | low >> 48:04x}-{low & 0xFFFFFFFFFFFF:012x}"
    )


def _next_ticks() -> int:
    global _last
    ticks = (time.time_ns() << 12) // 1_000_000
    with _lock:
        ticks = _last = max(ticks, _last + 1)
    return ticks


def uuid7_floor(moment: datetime) -> str:
    """Text that sorts before every UUIDv7 made from `moment` on, and after those made before."""
    milliseconds = int(moment.timestamp() * 1000)
    return f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7"
