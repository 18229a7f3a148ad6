"""The number of an occurrence, computed for any instant without walking there.

The ordinal of an occurrence is how many occurrences of its slot could have sounded since local midnight of
Monday 2024-01-01, in its zone: those on active days, outside the exception dates and the schedule's own quiet
hours. So what nobody hears uses up nothing of a bag, and numbers run on without a hole from day to day.
Floors' quiet hours, stops and gaps do not count: the choice must be the same on every floor.

A week of 24 h days has a fixed count. The few days of another length are counted one by one (their list is
cached per zone and year), exception dates are taken off. Occurrences before 2024 have negative ordinals.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from functools import lru_cache

from schedules.domain.rules import DateRange, ScheduleRule, Slot
from zones.domain.quiet import QuietHours, Span, gaps, quiet_spans, union
from zones.domain.wallclock import LocalDay, irregular_days, local_day, weekday

EPOCH_DAY = date(2024, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class _Grid:
    """What of a schedule decides how many occurrences of one slot a day has."""

    offset_us: int
    period_us: int
    active_days: frozenset[int]
    exceptions: tuple[DateRange, ...]
    quiet: QuietHours | None


def lattice(offset: int, period: int, start: int, end: int) -> range:
    """The k ≥ 0 with start ≤ offset + k · period < end."""
    return range(max(0, -((offset - start) // period)), max(0, -((offset - end) // period)))


def ordinal(rule: ScheduleRule, slot: Slot, zone: tzinfo, day: LocalDay, at: int) -> int:
    """How many occurrences of `slot` could have sounded since the epoch before `at`, an instant of `day`."""
    grid = _Grid(slot.offset_us, rule.period_us, rule.active_days, rule.exceptions, rule.quiet)
    return _before(grid, zone, day.ordinal) + _within(grid, zone, day, at)


@lru_cache(maxsize=16_384)
def _before(grid: _Grid, zone: tzinfo, stop: int) -> int:
    """The count of the days in [epoch, stop), negative if `stop` lies before the epoch."""
    if stop < EPOCH_DAY:
        return -_between(grid, zone, stop, EPOCH_DAY)
    return _between(grid, zone, EPOCH_DAY, stop)


def _between(grid: _Grid, zone: tzinfo, first: int, stop: int) -> int:
    week = _plain_week(grid)
    off = union(
        Span(max(first, r.first.toordinal()), min(stop, r.last.toordinal() + 1)) for r in grid.exceptions
    )
    on = gaps(off, first, stop)
    count = sum(_plain(week, span.start, span.end) for span in on)
    for span in on:
        for day in irregular_days(zone, span.start, span.end):
            if not grid.active_days or day.weekday in grid.active_days:
                count += _within(grid, zone, day, day.end) - week[day.weekday - 1]
    return count


def _plain(week: tuple[int, ...], first: int, stop: int) -> int:
    """The count of the days in [first, stop) if all were 24 h long."""
    weeks, rest = divmod(stop - first, 7)
    return weeks * sum(week) + sum(week[weekday(first + i) - 1] for i in range(rest))


@lru_cache(maxsize=4_096)
def _plain_week(grid: _Grid) -> tuple[int, ...]:
    """The counts of 24 h days, Monday to Sunday."""
    days = (local_day(UTC, EPOCH_DAY + i) for i in range(7))
    return tuple(
        _within(grid, UTC, day, day.end) if not grid.active_days or day.weekday in grid.active_days else 0
        for day in days
    )


def _within(grid: _Grid, zone: tzinfo, day: LocalDay, stop: int) -> int:
    """How many of the day's instants before `stop` lie outside the schedule's quiet hours."""
    quiet = quiet_spans(grid.quiet, zone, day.start, stop)
    return sum(
        len(lattice(day.start + grid.offset_us, grid.period_us, span.start, span.end))
        for span in gaps(quiet, day.start, stop)
    )
