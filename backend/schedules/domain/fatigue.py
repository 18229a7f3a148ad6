"""The least gap between scheduled announcements on a floor, so that nobody tires of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from schedules.domain.occurrences import occurrences
from schedules.domain.rules import FloorRules, Occurrence, Reason, ScheduleRule
from zones.domain.wallclock import LocalDay, local_day, local_days


def floor_occurrences(
    rules: Iterable[ScheduleRule], floor: FloorRules, seed: str, start: int, end: int
) -> tuple[Occurrence, ...]:
    """All occurrences in [start, end) of the schedules heard on a floor, in order of precedence.

    The least gap is measured from start to start, over what is otherwise due. It is judged per local day of
    the floor, from midnight on, in order of precedence: who comes sooner than the gap after the last one
    kept is suppressed. The day's first keeps its place whatever came the evening before; the last of the
    evening gives way to it. So two kept ones are never nearer than the gap, and a day never depends on the
    days before it: any window gives the same answer.
    """
    schedules = tuple(rules)
    if not floor.least_gap_us:
        return _all(schedules, floor, seed, start, end)
    return tuple(
        occurrence
        for day in local_days(floor.zone, start, end)
        for occurrence in _spaced(schedules, floor, seed, day, end)
        if start <= occurrence.at
    )


def _all(
    rules: tuple[ScheduleRule, ...], floor: FloorRules, seed: str, start: int, end: int
) -> tuple[Occurrence, ...]:
    found = [o for rule in rules for o in occurrences(rule, floor.zone, seed, start, end, floor)]
    return tuple(sorted(found, key=_precedence))


def _precedence(occurrence: Occurrence) -> tuple[int, int, str]:
    return occurrence.precedence


def _spaced(
    rules: tuple[ScheduleRule, ...], floor: FloorRules, seed: str, day: LocalDay, end: int
) -> list[Occurrence]:
    """The day's occurrences from its midnight to `end`, judged."""
    gap = floor.least_gap_us
    tomorrow = _first_due(rules, floor, seed, local_day(floor.zone, day.ordinal + 1))
    judged: list[Occurrence] = []
    last: Occurrence | None = None
    for occurrence in _all(rules, floor, seed, day.start, min(day.end, end)):
        if not occurrence.due:
            judged.append(occurrence)
        elif last is not None and occurrence.at < last.at + gap:
            judged.append(replace(occurrence, reason=Reason.LEAST_GAP, by=last.schedule_id))
        elif tomorrow is not None and tomorrow.at < occurrence.at + gap:
            judged.append(replace(occurrence, reason=Reason.LEAST_GAP, by=tomorrow.schedule_id))
        else:
            judged.append(occurrence)
            last = occurrence
    return judged


def _first_due(
    rules: tuple[ScheduleRule, ...], floor: FloorRules, seed: str, day: LocalDay
) -> Occurrence | None:
    """The day's first that is due, if it is near enough to midnight to matter to the evening before."""
    near = min(day.end, day.start + floor.least_gap_us)
    return next((o for o in _all(rules, floor, seed, day.start, near) if o.due), None)
