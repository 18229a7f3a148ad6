"""When a provider that fails is left alone, and for how long. Pure.

Closed: it is asked. Open until an instant: it is passed over. Half open, from that instant on: one caller may try it;
whoever reserves the call moves the instant on by `PROBE_LEASE`, so that there is only one (`ai_config.reservations`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"
STATES = (CLOSED, OPEN, HALF_OPEN)

MOST_FAILURES = 3
"""This many in a row open it."""
PROBE_LEASE = timedelta(minutes=2)
"""Longer than any call may take: a probe whose worker died is tried again after it."""
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(hours=1)

AT_ONCE = {
    "unauthorized": timedelta(minutes=15),
    "key_unreadable": timedelta(minutes=15),
    "exhausted": timedelta(hours=1),
    "rate_limited": FIRST_REST,
}
"""Failures that the next call would meet too: they open it at once, for so long unless the provider says when."""

NOT_ITS_FAULT = frozenset({"refused", "voice_unknown"})
"""What is wrong with the one thing asked says nothing of the next."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """`failures` in a row since the last success, `rests` taken in a row, and until when it rests."""

    failures: int = 0
    rests: int = 0
    open_until: datetime | None = None

    def state(self, now: datetime) -> str:
        """One of `STATES`."""
        if self.open_until is None:
            return CLOSED
        return OPEN if now < self.open_until else HALF_OPEN


def after_failure(before: Breaker, code: str, *, retry_after_s: float | None, now: datetime) -> Breaker:
    """The breaker after a call that failed with this code; `retry_after_s` is what the provider asked for.

    A rest doubles with each one in a row, up to an hour. A failed probe opens it again.
    """
    if code in NOT_ITS_FAULT:
        # It answered: a probe that meets this has found it alive.
        return before if before.open_until is None else Breaker()
    failures = before.failures + 1
    asked = timedelta(seconds=max(0.0, retry_after_s)) if retry_after_s is not None else None
    if code not in AT_ONCE and asked is None and failures < MOST_FAILURES and before.open_until is None:
        return Breaker(failures, before.rests, None)
    rest = asked if asked is not None else AT_ONCE.get(code, FIRST_REST) * 2 ** min(before.rests, 10)
    return Breaker(failures, min(before.rests + 1, 10), now + min(rest, LONGEST_REST))
