"""When a message is tried again, and when its receiver is given up. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""After each failed attempt. The first seven of Standard Webhooks' example, the last cut short: 27.6 h in all."""
ATTEMPTS = len(PAUSES) + 1
JITTER = 0.2
"""A pause is up to this much longer, so that what failed together does not come back together."""
LONGEST_WAIT = timedelta(hours=24)
"""A receiver may ask (`Retry-After`) for this much and no more."""

GIVEN_UP_AFTER = timedelta(hours=24)
GIVEN_UP_FAILURES = ATTEMPTS
"""A webhook is switched off when this many attempts have failed in a row, over at least this long."""


def pause(attempts_left: int, *, chance: float, asked: timedelta | None = None) -> timedelta | None:
    """How long to wait when `attempts_left` remain after a failure; None when none do.

    `chance` in [0, 1] draws the jitter. What the receiver asked for is heeded if it is longer.
    """
    if attempts_left <= 0:
        return None
    made = max(1, ATTEMPTS - attempts_left)
    return max(PAUSES[made - 1] * (1 + JITTER * chance), asked or timedelta(0))


def wait_asked(retry_after: str, *, now: datetime) -> timedelta | None:
    """What a `Retry-After` header asks for (RFC 9110 §10.2.3: seconds or a date), at most LONGEST_WAIT.

    None for an empty one, an unreadable one, or an instant that is over.
    """
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        wait = timedelta(seconds=min(int(text[:9]), LONGEST_WAIT.total_seconds()))
    else:
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return min(wait, LONGEST_WAIT) if wait > timedelta(0) else None


def gives_up(*, failures: int, failing_since: datetime, now: datetime) -> bool:
    """Whether a webhook is switched off after `failures` in a row since `failing_since`."""
    return failures >= GIVEN_UP_FAILURES and now - failing_since >= GIVEN_UP_AFTER
