"""How much of a chain may be cut off because it is old."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from audit.domain.chain import Head


def cut_at(entries: Iterable[tuple[int, str, datetime]], *, before: datetime) -> Head | None:
    """Where the chain may begin anew; None if nothing may go.

    `entries` are number, hash and instant of the oldest entries, in their order. Those before the first young one are
    old; all but the last of them go. That one stays as a witness: its own instant, which its digest holds, shows that
    what went before it was old enough.
    """
    last: Head | None = None
    start: Head | None = None
    for number, hash, at in entries:
        if at >= before:
            break
        start, last = last, Head(number, hash)
    return start
