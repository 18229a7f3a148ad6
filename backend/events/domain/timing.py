"""When an instant play starts and until when it may: pure arithmetic in µs UTC.

All speakers of one play start together, so the instant must leave the slowest of them time to hear of it, to
fetch the clip and to fill its output. `docs/device-protocol.md` gives the formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MS = 1_000
SECOND = 1_000_000

LEAST_LEAD_TOGETHER = 1 * SECOND
"""Between order and sound when several devices must start together."""
LEAST_LEAD_ALONE = 150 * MS
"""The same for one device, which waits for nobody."""
UNKNOWN_ROUND_TRIP = 300 * MS
"""Assumed of a device that has not measured its path yet."""
FETCH_OVERHEAD = 100 * MS
FETCH_BYTES_PER_SECOND = 4_000_000
"""A slow shop's link: a spoken minute (1 MB) takes a quarter of a second."""
LATE_BY_AT_MOST = 2 * SECOND
"""A synchronised device that could not start by then does not start."""
WAITS_FOR_OFFLINE = 60 * SECOND
"""How long an instant play waits for a device that is offline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """What one device needs before it can sound: its own lead, its output's delay, its round trip (µs)."""

    required_lead_us: int
    output_delay_us: int
    round_trip_us: int | None

    @property
    def lead_us(self) -> int:
        """Time from order to sound, without the fetch."""
        round_trip = UNKNOWN_ROUND_TRIP if self.round_trip_us is None else self.round_trip_us
        return self.required_lead_us + self.output_delay_us + round_trip


def lead_us(paths: Sequence[Path], *, clip_bytes: int) -> int:
    """The least time between now and `play_at` for these devices, with the fetch of a clip of this size."""
    if not paths:
        return LEAST_LEAD_ALONE
    fetch = FETCH_OVERHEAD + clip_bytes * SECOND // FETCH_BYTES_PER_SECOND
    slowest = max(path.lead_us for path in paths) + fetch
    return max(slowest, LEAST_LEAD_TOGETHER if len(paths) > 1 else LEAST_LEAD_ALONE)


def expiry_us(play_at: int, *, waits: bool) -> int:
    """The instant from which the play must not start any more."""
    return play_at + (WAITS_FOR_OFFLINE if waits else LATE_BY_AT_MOST)


@dataclass(frozen=True, slots=True)
class Start:
    """When a device that came back starts what waited for it."""

    play_at: int
    late: str


def resume(*, play_at: int, duration_us: int, expires_at: int, now: int, lead: int) -> Start | None:
    """What to do with a play that waited for its device; None when it has expired.

    While the others still speak, the device joins them in mid-clip, so that two speakers of a floor never say
    different words. Afterwards it speaks alone, from the beginning, at an instant of its own.
    """
    if now + lead <= play_at:
        return Start(play_at, "join")
    if now < play_at + duration_us:
        return Start(play_at, "join")
    own = now + lead
    return Start(own, "join") if own < expires_at else None
