"""May a business act, and how many floors may it have: tables of cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clients.domain.access import floors_allowed, lock_of
from common.errors import CODES

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("status", "trial_ends_at", "code"),
    [
        ("active", None, None),
        ("active", NOW - TICK, None),
        ("trial", None, None),
        ("trial", NOW + TICK, None),
        ("trial", NOW, "trial_ended"),
        ("trial", NOW - TICK, "trial_ended"),
        ("suspended", NOW + TICK, "client_suspended"),
        ("", None, "client_suspended"),
        ("unheard of", None, "client_suspended"),
    ],
)
def test_locks(status: str, trial_ends_at: datetime | None, code: str | None) -> None:
    lock = lock_of(status=status, trial_ends_at=trial_ends_at, now=NOW)
    assert (lock.code if lock else None) == code
    if lock:
        assert lock.code in CODES
        assert "read" in lock.detail


@pytest.mark.parametrize(
    ("several", "most", "allowed"),
    [(False, 1, 1), (False, 9, 1), (True, 9, 9), (True, 1, 1), (True, 0, 1), (True, -3, 1)],
)
def test_floors_allowed(several: bool, most: int, allowed: int) -> None:
    assert floors_allowed(multi_floor_enabled=several, max_floors=most) == allowed
