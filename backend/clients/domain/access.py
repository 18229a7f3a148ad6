"""May a business act now? Pure: status and instants in, a lock or None out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ACTIVE = "active"
TRIAL = "trial"
SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Lock:
    """Why a business may read but not write or play. `code` is one of `common.errors.CODES`."""

    code: str
    detail: str


def lock_of(*, status: str, trial_ends_at: datetime | None, now: datetime) -> Lock | None:
    """The lock on a business, or None when it is open.

    `active` is open; `trial` is open until `trial_ends_at` (a trial without an end is open); all else is shut.
    """
    if status == ACTIVE:
        return None
    if status == TRIAL:
        if trial_ends_at is None or now < trial_ends_at:
            return None
        return Lock(
            "trial_ended",
            f"The trial ended on {trial_ends_at:%d %B %Y}. Everything can still be read; contact sync2gear"
            " to go on.",
        )
    return Lock(
        "client_suspended", "This business is suspended. Everything can still be read; contact sync2gear."
    )


def floors_allowed(*, multi_floor_enabled: bool, max_floors: int) -> int:
    """How many floors a business may have: one, or `max_floors` when several were agreed."""
    return max(1, max_floors) if multi_floor_enabled else 1
