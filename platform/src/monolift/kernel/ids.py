"""Identifiers: UUIDv7 (RFC 9562), so that keys are made without a database and sort by time."""

import secrets
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A new time-ordered UUID; strictly increasing within one process.

    48 bits of Unix milliseconds, then 12 bits of sub-millisecond time (RFC 9562, method 3), then
    62 random bits.
    """
    global _last
    ticks = (time.time_ns() << 12) // 1_000_000
    with _lock:
        ticks = _last = max(ticks, _last + 1)
    value = (ticks >> 12 & (1 << 48) - 1) << 80
    value |= 0x7 << 76
    value |= (ticks & 0xFFF) << 64
    value |= 0b10 << 62
    value |= secrets.randbits(62)
    return UUID(int=value)
