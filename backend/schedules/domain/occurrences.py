"""When schedules fire, and what comes of each occurrence. Instants are µs UTC, windows half-open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo
from itertools import pairwise
from typing import NamedTuple

from schedules.domain.choice import pick
from schedules.domain.ordinals import lattice, ordinal
from schedules.domain.rules import Candidate, FloorRules, Occurrence, Reason, ScheduleRule, Slot
from zones.domain.quiet import Span, clip, covering, quiet_spans, stop_spans, union
from zones.domain.wallclock import LocalDay, day_of, local_day, local_days

OPEN_FLOOR = FloorRules(zone=UTC)
"""A floor that lays nothing over its schedules."""


def occurrences(
    rule: ScheduleRule,
    zone: tzinfo,
    seed: str,
    start: int,
    end: int,
    floor: FloorRules = OPEN_FLOOR,
) -> tuple[Occurrence, ...]:
    """Every occurrence of the schedule in [start, end), in order, due or suppressed with its reason.

    `zone` is the device's: midnight, weekdays, exception dates and the schedule's quiet hours are read in it;
    the floor's own quiet hours in the floor's. The least gap of a floor concerns several schedules and is
    left to `floor_occurrences`. However a window is cut: [a, c) has the occurrences of [a, b) and of [b, c).
    """
    return tuple(
        occurrence
        for day in local_days(zone, start, end)
        if _active(rule, day)
        for occurrence in _Sight(rule, zone, seed, floor, day).between(
            max(start, day.start), min(end, day.end)
        )
    )


def next_occurrence(
    rule: ScheduleRule,
    zone: tzinfo,
    seed: str,
    after: int,
    *,
    floor: FloorRules = OPEN_FLOOR,
    horizon_days: int = 400,
    due_only: bool = False,
) -> Occurrence | None:
    """The first occurrence later than `after`, or None if the next `horizon_days` local days have none.

    `due_only` passes over what is suppressed; a schedule for which it finds nothing can never fire. Nothing
    is walked from a beginning: days off are passed over whole, and only the free stretches of a day are
    looked into.
    """
    if not rule.slots or (due_only and not _may_ever_play(rule)):
        return None
    first = day_of(zone, after).ordinal
    for number in range(first, first + horizon_days + 1):
        day = local_day(zone, number)
        if not _active(rule, day):
            continue
        sight = _Sight(rule, zone, seed, floor, day)
        begin = max(after + 1, day.start)
        for span in sight.free(begin) if due_only else (Span(begin, day.end),):
            for occurrence in sight.walk(span.start, span.end):
                if occurrence.due or not due_only:
                    return occurrence
    return None


def next_instant(rule: ScheduleRule, zone: tzinfo, after: int, *, horizon_days: int = 400) -> int | None:
    """The instant of `next_occurrence`, due or suppressed, without asking what comes of it."""
    if not rule.slots:
        return None
    first = day_of(zone, after).ordinal
    for number in range(first, first + horizon_days + 1):
        day = local_day(zone, number)
        if not _active(rule, day):
            continue
        begin = max(after + 1, day.start)
        cycle = day.start + (begin - day.start) // rule.period_us * rule.period_us
        for base in (cycle, cycle + rule.period_us):  # the one under way may have nothing left
            for slot in rule.slots:
                if begin <= base + slot.offset_us < day.end:
                    return base + slot.offset_us
    return None


def _active(rule: ScheduleRule, day: LocalDay) -> bool:
    return not rule.active_days or day.weekday in rule.active_days


def _may_ever_play(rule: ScheduleRule) -> bool:
    return rule.enabled and any(candidate.enabled for slot in rule.slots for candidate in slot.candidates)


class _Stretch(NamedTuple):
    """A part of a day in which one thing holds: why nothing plays, and whether occurrences are numbered."""

    start: int
    end: int
    reason: Reason | None
    numbered: bool


class _Sight:
    """One schedule on one local day, under one floor."""

    __slots__ = ("_day", "_rule", "_seed", "_stretches", "_zone")

    def __init__(self, rule: ScheduleRule, zone: tzinfo, seed: str, floor: FloorRules, day: LocalDay) -> None:
        self._rule, self._zone, self._seed, self._day = rule, zone, seed, day
        self._stretches = _stretches(rule, zone, floor, day)

    def free(self, begin: int) -> tuple[Span, ...]:
        """What of [begin, midnight) nothing blocks and some announcement's validity holds."""
        valid = union(
            Span(
                begin if c.valid_from is None else max(begin, c.valid_from),
                self._day.end if c.valid_until is None else min(self._day.end, c.valid_until),
            )
            for slot in self._rule.slots
            for c in slot.candidates
            if c.enabled
        )
        free = [Span(stretch.start, stretch.end) for stretch in self._stretches if stretch.reason is None]
        return tuple(span for held in valid for span in clip(free, held.start, held.end))

    def walk(self, start: int, end: int) -> Iterator[Occurrence]:
        """The day's occurrences in [start, end), in order of time, each computed when it is asked for."""
        period = self._rule.period_us
        cycle = max(0, start - self._day.start) // period
        while (base := self._day.start + cycle * period) < end:
            for slot in self._rule.slots:
                at = base + slot.offset_us
                if start <= at < end:
                    yield from self._slot(slot, at, at + 1)
            cycle += 1

    def between(self, start: int, end: int) -> list[Occurrence]:
        """The day's occurrences in [start, end), in order of time, computed slot by slot."""
        found = [occurrence for slot in self._rule.slots for occurrence in self._slot(slot, start, end)]
        if len(self._rule.slots) > 1:
            found.sort(key=_instant)
        return found

    def _slot(self, slot: Slot, start: int, end: int) -> Iterator[Occurrence]:
        rule = self._rule
        enabled = [candidate for candidate in slot.candidates if candidate.enabled]
        always = all(c.valid_from is None and c.valid_until is None for c in enabled)
        names = tuple(sorted({candidate.id for candidate in enabled}))
        nothing = Reason.NOT_VALID if enabled else Reason.NO_ANNOUNCEMENT
        key = f"{rule.id}/{slot.offset_us}"
        first = self._day.start + slot.offset_us
        number: int | None = None
        for stretch in self._stretches:
            steps = lattice(first, rule.period_us, max(start, stretch.start), min(end, stretch.end))
            for step in steps:
                at = first + step * rule.period_us
                chosen, reason = None, stretch.reason
                if stretch.numbered:
                    if number is None:
                        number = ordinal(rule, slot, self._zone, self._day, at) if len(names) > 1 else 0
                    now = names if always else _valid(enabled, at)
                    chosen = pick(self._seed, key, number, now, avoid_repeat=rule.avoid_repeat)
                    number += 1
                    if chosen is None and reason is None:
                        reason = nothing
                yield Occurrence(
                    rule.id, rule.priority, at, at + rule.expiry_us, slot.offset_us, chosen, reason
                )


def _instant(occurrence: Occurrence) -> int:
    return occurrence.at


def _valid(enabled: list[Candidate], at: int) -> tuple[str, ...]:
    return tuple(sorted({candidate.id for candidate in enabled if candidate.valid_at(at)}))


def _stretches(rule: ScheduleRule, zone: tzinfo, floor: FloorRules, day: LocalDay) -> tuple[_Stretch, ...]:
    """The day cut where the reason changes; of several reasons the first of `Reason` is named."""
    if not rule.enabled:
        return (_Stretch(day.start, day.end, Reason.DISABLED, numbered=False),)
    if any(r.first.toordinal() <= day.ordinal <= r.last.toordinal() for r in rule.exceptions):
        return (_Stretch(day.start, day.end, Reason.EXCEPTION_DATE, numbered=False),)
    own_quiet = quiet_spans(rule.quiet, zone, day.start, day.end)
    blocks = (
        (Reason.CLIENT_LOCKED, clip(floor.locked, day.start, day.end)),
        (Reason.FLOOR_STOPPED, stop_spans(floor.stops, day.start, day.end)),
        (Reason.QUIET_HOURS, own_quiet),
        (Reason.QUIET_HOURS, quiet_spans(floor.quiet, floor.zone, day.start, day.end)),
    )
    edges = {edge for _, spans in blocks for span in spans for edge in span} | {day.start, day.end}
    starts = sorted(edges)
    return tuple(
        _Stretch(
            start,
            end,
            next((reason for reason, spans in blocks if covering(spans, start)), None),
            numbered=covering(own_quiet, start) is None,
        )
        for start, end in pairwise(starts)
    )
