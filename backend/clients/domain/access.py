"""May a business act now? Pure: status and instants in, a lock or None out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ACTIVE = "active"
TRIAL = "trial"
SUSPENDED = "suspended"

TRIAL_ENDED = "trial_ended"
"""The subscription of a business that was suspended because its trial ran out."""

SUBSCRIPTIONS: tuple[str, ...] = (TRIAL, ACTIVE, "past_due", "cancelled", TRIAL_ENDED)
"""What a subscription may be. It tells staff how a business pays; what it may do, its status decides."""

SUBSCRIPTION_OF: dict[str, str] = {ACTIVE: ACTIVE, TRIAL: TRIAL}
"""The subscription that comes with a new status, unless another is named. A suspended business keeps its own."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Why a business may read but not write or play. `code` is one of `common.errors.CODES`."""

    code: str
    detail: str


def lock_of(
    *,
    status: str,
    trial_ends_at: datetime | None,
    subscription_status: str,
    deleting: bool,
    now: datetime,
) -> Lock | None:
    """The lock on a business, or None when it is open.

    One that is to be deleted is shut. `active` is open; `trial` is open until `trial_ends_at` (a trial without an
    end is open); all else is shut. A suspended business whose trial ran out is still told so.
    """
    if deleting:
        return Lock("client_deleting", "This business is being deleted.")
    if status == ACTIVE:
        return None
    if status == TRIAL and (trial_ends_at is None or now < trial_ends_at):
        return None
    if trial_ends_at is not None and (status == TRIAL or subscription_status == TRIAL_ENDED):
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
