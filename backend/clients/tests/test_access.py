"""May a business act, and how many floors may it have: tables of cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.domain.access import floors_allowed, lock_of
from common.errors import CODES

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("status", "subscription", "trial_ends_at", "code"),
    [
        ("active", "active", None, None),
        ("active", "trial_ended", NOW - TICK, None),
        ("trial", "trial", None, None),
        ("trial", "trial", NOW + TICK, None),
        ("trial", "trial", NOW, "trial_ended"),
        ("trial", "trial", NOW - TICK, "trial_ended"),
        ("suspended", "trial_ended", NOW - TICK, "trial_ended"),
        ("suspended", "trial_ended", None, "client_suspended"),
        ("suspended", "active", NOW - TICK, "client_suspended"),
        ("suspended", "trial", NOW + TICK, "client_suspended"),
        ("", "", None, "client_suspended"),
        ("unheard of", "", None, "client_suspended"),
    ],
)
def test_locks(status: str, subscription: str, trial_ends_at: datetime | None, code: str | None) -> None:
    facts: Any = {"status": status, "subscription_status": subscription, "trial_ends_at": trial_ends_at}
    lock = lock_of(**facts, deleting=False, now=NOW)
    assert (lock.code if lock else None) == code
    if lock:
        assert lock.code in CODES
        assert "read" in lock.detail
    condemned = lock_of(**facts, deleting=True, now=NOW)
    assert condemned is not None
    assert condemned.code == "client_deleting"


@pytest.mark.parametrize(
    ("several", "most", "allowed"),
    [(False, 1, 1), (False, 9, 1), (True, 9, 9), (True, 1, 1), (True, 0, 1), (True, -3, 1)],
)
def test_floors_allowed(several: bool, most: int, allowed: int) -> None:
    assert floors_allowed(multi_floor_enabled=several, max_floors=most) == allowed
