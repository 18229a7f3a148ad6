"""When to come back after a connection ended: the protocol's rules as a table and one small state."""

from __future__ import annotations

import random

FIRST_S = 5.0
CEILING_S = 10.0
"""After an outage, however long, all are back within ten seconds: a knock at a closed door costs little."""
STABLE_S = 60.0
REFUSED_S = 900.0

BAD_TOKEN = 4401
FORBIDDEN = 4403
SUPERSEDED = 4409

FIXED_WAIT_S: dict[int, float] = {
    BAD_TOKEN: REFUSED_S,
    FORBIDDEN: REFUSED_S,
    4426: REFUSED_S,
    SUPERSEDED: 120.0,
    4429: 60.0,
    1013: 15.0,
}
"""Close codes that ask for a wait of their own (seconds); the wait is spread over its upper half.

Superseded means that another speaker holds this identity: coming back at once would throw it out in turn.
"""


class Backoff:
    """Seconds to wait before the next attempt: first uniform(0, 5), then uniform(0, min(10, 2ⁿ))."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._failures = 0

    def lasted(self, seconds: float) -> None:
        """Tells how long a session lasted after its welcome: a stable minute forgets earlier failures."""
        if seconds >= STABLE_S:
            self._failures = 0

    def next_wait(self, close_code: int | None = None) -> float:
        """Seconds until the next attempt after a failure, or after a close with `close_code`."""
        fixed = FIXED_WAIT_S.get(close_code) if close_code is not None else None
        if fixed is not None:
            return self._rng.uniform(fixed / 2 if fixed < REFUSED_S else fixed, fixed)
        span = FIRST_S if self._failures == 0 else min(CEILING_S, 2.0**self._failures)
        self._failures += 1
        return self._rng.uniform(0.0, span)
