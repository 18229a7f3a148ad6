"""Quiet hours: daily wall-clock windows [start, end) in which nothing may sound, and spans of silence.

A window that crosses midnight belongs to the day it starts on. Its edges are reached as in
`wallclock.reach`: an edge inside a spring gap lies at the first instant after the gap, an edge inside an
autumn fold counts the first time. So a window grows or shrinks by the change of the clock, as a person who
reads the clock expects, and never falls apart into two. A window whose every wall time lies inside a gap
does not happen on that day.

Instants are µs UTC; spans are half-open.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from zones.domain.wallclock import day_of, local_days, reach, weekday

EVERY_DAY: frozenset[int] = frozenset()
FOREVER = 253_402_300_800_000_000
"""9999-12-31T24:00Z in µs: the end of what has no end."""


class Span(NamedTuple):
    """A half-open stretch of time, [start, end) in µs UTC."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A daily window [start, end) of wall-clock time; `end` before `start` means the next day's.

    `days` limits it to windows that start on these ISO weekdays; empty means every day.
    Raises ValueError for equal edges, edges with a zone, or a weekday out of 1 to 7.
    """

    start: time
    end: time
    days: frozenset[int] = EVERY_DAY

    def __post_init__(self) -> None:
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("quiet hours are wall-clock times without a zone")
        if self.start == self.end:
            raise ValueError("quiet hours that start and end at the same time are neither all day nor never")
        if not self.days <= set(range(1, 8)):
            raise ValueError("weekdays are 1 (Monday) to 7 (Sunday)")


@dataclass(frozen=True, slots=True)
class Stop:
    """A temporary stop of a floor from `start` (µs UTC) until `until`, or until it is lifted (None)."""

    start: int
    until: int | None = None


def quiet_hours(start: time | None, end: time | None) -> QuietHours | None:
    """Quiet hours of two nullable columns: both or neither. Raises ValueError for one alone or equal ones."""
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise ValueError("quiet hours need both a start and an end")
    return QuietHours(start, end)


def quiet_until(hours: QuietHours | None, zone: tzinfo, at: int) -> int | None:
    """The instant at which the quiet window that holds `at` ends; None if `at` is not quiet."""
    if hours is None:
        return None
    today = day_of(zone, at).ordinal
    for ordinal in (today - 1, today):
        window = _window(hours, zone, ordinal)
        if window is not None and window.start <= at < window.end:
            return window.end
    return None


def is_quiet(hours: QuietHours | None, zone: tzinfo, at: int) -> bool:
    """Is the instant `at` inside the quiet hours?"""
    return quiet_until(hours, zone, at) is not None


def quiet_spans(hours: QuietHours | None, zone: tzinfo, start: int, end: int) -> tuple[Span, ...]:
    """What is quiet in [start, end), in order and disjoint, clipped to it."""
    days = local_days(zone, start, end) if hours is not None else ()
    if hours is None or not days:
        return ()
    ordinals = range(days[0].ordinal - 1, days[-1].ordinal + 1)
    windows = (_window(hours, zone, ordinal) for ordinal in ordinals)
    return clip((window for window in windows if window is not None), start, end)


def stop_spans(stops: Iterable[Stop], start: int, end: int) -> tuple[Span, ...]:
    """What the stops silence in [start, end)."""
    return clip((Span(s.start, FOREVER if s.until is None else s.until) for s in stops), start, end)


def union(*groups: Iterable[Span]) -> tuple[Span, ...]:
    """All spans as the fewest disjoint ones, in order: those that touch are joined, empty ones left out."""
    merged: list[Span] = []
    for span in sorted(span for group in groups for span in group if span.start < span.end):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def clip(spans: Iterable[Span], start: int, end: int) -> tuple[Span, ...]:
    """The union of the parts of `spans` inside [start, end)."""
    return union(Span(max(span.start, start), min(span.end, end)) for span in spans)


def gaps(spans: Sequence[Span], start: int, end: int) -> tuple[Span, ...]:
    """What of [start, end) the disjoint, ordered `spans` leave free."""
    edges = [start, *(edge for span in spans for edge in span), end]
    return clip((Span(edges[i], edges[i + 1]) for i in range(0, len(edges), 2)), start, end)


def covering(spans: Sequence[Span], at: int) -> Span | None:
    """The one of the disjoint, ordered `spans` that holds the instant `at`."""
    index = bisect_right(spans, at, key=_start_of) - 1
    return spans[index] if index >= 0 and at < spans[index].end else None


def _start_of(span: Span) -> int:
    return span.start


@lru_cache(maxsize=16_384)
def _window(hours: QuietHours, zone: tzinfo, ordinal: int) -> Span | None:
    """The window that starts on this date; None if there is none."""
    if hours.days and weekday(ordinal) not in hours.days:
        return None
    day = date.fromordinal(ordinal)
    last = day if hours.start < hours.end else day + timedelta(days=1)
    window = Span(
        reach(zone, datetime.combine(day, hours.start)), reach(zone, datetime.combine(last, hours.end))
    )
    return window if window.start < window.end else None
