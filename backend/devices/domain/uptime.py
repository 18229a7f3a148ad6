"""How much of the time a speaker was there: arithmetic of spans, in µs UTC. Pure.

What counts is the time in which the server heard speakers and this one was known to it. An outage counts as far as it
lies in that: while nobody listens, nobody is missed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import pairwise
from typing import Literal

from zones.domain import Span, from_us, local_days, union
from zones.domain.wallclock import HOUR_US

Step = Literal["day", "hour"]


@dataclass(frozen=True, slots=True)
class Uptime:
    """Of one speaker in a window: µs that counted and that it was away; its outages, and µs of the longest.

    `parts` has (counted, away) of each part of the window.
    """

    counted: int
    away: int
    outages: int
    longest: int
    parts: tuple[tuple[int, int], ...]

    @property
    def share(self) -> float | None:
        """Of the time that counted, the share that it was there; None if none did."""
        return (self.counted - self.away) / self.counted if self.counted else None


def uptime_of(heard: Sequence[Span], outages: Sequence[Span], edges: Sequence[int]) -> Uptime:
    """The uptime in the window that `edges` bound and divide, at least one of them, in order.

    `heard` is what counts, in order and disjoint; an outage none of which counts is none.
    """
    counted = within(heard, Span(edges[0], edges[-1]))
    each = [pieces for pieces in (within(counted, outage) for outage in outages) if pieces]
    away = union(*each)
    return Uptime(
        counted=length(counted),
        away=length(away),
        outages=len(each),
        longest=max(map(length, each), default=0),
        parts=tuple(
            (length(within(counted, part)), length(within(away, part)))
            for part in (Span(start, end) for start, end in pairwise(edges))
        ),
    )


def within(spans: Sequence[Span], one: Span) -> tuple[Span, ...]:
    """What of the ordered, disjoint `spans` lies in `one`."""
    if one.start >= one.end:
        return ()
    first = bisect_right(spans, one.start, key=lambda span: span.end)
    last = bisect_left(spans, one.end, key=lambda span: span.start)
    return tuple(Span(max(span.start, one.start), min(span.end, one.end)) for span in spans[first:last])


def length(spans: Sequence[Span]) -> int:
    """How long disjoint spans are, in µs."""
    return sum(span.end - span.start for span in spans)


def edges_of(window: Span, zone: tzinfo, step: Step) -> tuple[int, ...]:
    """Where the parts of a window begin, and its end: local midnights, or the local hours as they were at its start."""
    if step == "day":
        inside = [day.start for day in local_days(zone, window.start, window.end)]
    else:
        local = from_us(window.start, zone)
        into_hour = ((local.minute * 60 + local.second) * 1_000_000) + local.microsecond
        inside = list(range(window.start - into_hour, window.end, HOUR_US))
    return (window.start, *(edge for edge in inside if window.start < edge < window.end), window.end)
