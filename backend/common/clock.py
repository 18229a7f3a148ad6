"""The clock: the one place that reads it, and the two forms an instant has (aware datetime, integer µs UTC).

Rules never read the clock: they take `now`. Adapters and services call `now()` once and hand it on.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(tz=UTC)


def now_us() -> int:
    """The current instant in µs since 1970-01-01T00:00:00Z."""
    return time.time_ns() // 1000


def to_us(instant: datetime) -> int:
    """Exact integer µs of an aware datetime; raises `TypeError` for a naive one."""
    return (instant - EPOCH) // MICROSECOND


def from_us(us: int) -> datetime:
    """The aware UTC datetime of integer µs."""
    return EPOCH + timedelta(microseconds=us)
