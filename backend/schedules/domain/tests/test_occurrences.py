"""Occurrences: what holds for any schedule, any zone and any window."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.domain import (
    Candidate,
    DateRange,
    FloorRules,
    Occurrence,
    Reason,
    ScheduleRule,
    floor_occurrences,
    interval_rule,
    next_instant,
    next_occurrence,
    occurrences,
    timeline_rule,
)
from schedules.domain.ordinals import ordinal
from zones.domain import Span, Stop, covering, is_quiet, load_zone, local_days, midnight, quiet_spans
from zones.domain.tests.strategies import any_day, cut_windows, maybe_quiet, weekdays, zones
from zones.domain.wallclock import DAY_US, HOUR_US, MINUTE_US

Window = tuple[ZoneInfo, int, int, int]
names = st.lists(st.sampled_from("abcdef"), max_size=5, unique=True)
ranges = st.lists(
    st.tuples(
        st.integers(date(2026, 2, 10).toordinal(), date(2026, 11, 5).toordinal()), st.integers(0, 9)
    ).map(
        lambda pair: DateRange(date.fromordinal(pair[0]), date.fromordinal(pair[0]) + timedelta(days=pair[1]))
    ),
    max_size=3,
)
common = st.fixed_dictionaries(
    {"active_days": weekdays, "exceptions": ranges, "quiet": maybe_quiet, "avoid_repeat": st.booleans()}
)
candidates = names.map(lambda found: [Candidate(name) for name in found])
intervals = st.builds(
    lambda minutes, found, rest: interval_rule("i", minutes, found, **rest),
    st.integers(7, 1500),
    candidates,
    common,
)
timelines = st.builds(
    lambda cycle, marks, rest: timeline_rule(
        "t", cycle, [(second % (cycle * 60), Candidate(name)) for second, name in marks], **rest
    ),
    st.integers(20, 900),
    st.lists(st.tuples(st.integers(0, 54_000), st.sampled_from("abcdef")), max_size=5),
    common,
)
rules = st.one_of(intervals, timelines)


@st.composite
def floors(draw: st.DrawFn, zone: ZoneInfo, around: int) -> FloorRules:
    """A floor with stops and locks near an instant."""
    near = st.integers(-48 * 60, 48 * 60).map(lambda minutes: around + minutes * MINUTE_US)
    spans = st.lists(st.tuples(near, near).map(lambda pair: (min(pair), max(pair))), max_size=2)
    return FloorRules(
        zone,
        draw(maybe_quiet),
        tuple(Stop(start, draw(st.sampled_from([end, None]))) for start, end in draw(spans)),
        tuple(Span(*span) for span in draw(spans)),
        draw(st.sampled_from([0, 10, 45, 720])) * MINUTE_US,
    )


@settings(max_examples=80, deadline=None)
@given(st.data(), st.lists(rules, max_size=3), cut_windows(most_hours=40))
def test_occurrences_do_not_depend_on_the_window(
    data: st.DataObject, schedules: list[ScheduleRule], window: Window
) -> None:
    zone, start, cut, end = window
    floor = data.draw(floors(zone, cut))
    whole = floor_occurrences(schedules, floor, "s", start, end)
    parts = [floor_occurrences(schedules, floor, "s", a, b) for a, b in ((start, cut), (cut, end))]
    assert (*parts[0], *parts[1]) == whole


@settings(max_examples=80, deadline=None)
@given(st.data(), rules, cut_windows(most_hours=40))
def test_nothing_is_due_when_something_forbids_it(
    data: st.DataObject, rule: ScheduleRule, window: Window
) -> None:
    zone, start, cut, end = window
    floor = data.draw(floors(zone, cut))
    for occurrence in occurrences(rule, zone, "s", start, end, floor):
        at = occurrence.at
        day = local_days(zone, at, at + 1)[0]
        assert start <= at < end
        assert not rule.active_days or day.weekday in rule.active_days
        assert occurrence.expires_at == at + rule.expiry_us
        if occurrence.due:
            assert occurrence.announcement_id is not None
            assert not is_quiet(rule.quiet, zone, at)
            assert not is_quiet(floor.quiet, zone, at)
            assert not any(span.start <= at < span.end for span in floor.locked)
            assert not any(s.start <= at and (s.until is None or at < s.until) for s in floor.stops)
            assert not any(r.first <= day.date <= r.last for r in rule.exceptions)


@settings(max_examples=80, deadline=None)
@given(st.data(), rules, cut_windows(most_hours=40), st.booleans())
def test_the_next_occurrence_is_the_first_of_the_window(
    data: st.DataObject, rule: ScheduleRule, window: Window, due_only: bool
) -> None:
    zone, start, cut, end = window
    floor = data.draw(floors(zone, cut))
    found = next_occurrence(rule, zone, "s", start, floor=floor, horizon_days=10, due_only=due_only)
    listed = occurrences(rule, zone, "s", start + 1, end, floor)
    first = next((o for o in listed if o.due or not due_only), None)
    if first is not None:
        assert found == first
    else:
        assert found is None or found.at >= end
    if not due_only:
        assert next_instant(rule, zone, start, horizon_days=10) == (found and found.at)


@settings(max_examples=60, deadline=None)
@given(intervals, zones, any_day)
def test_ordinals_have_no_hole_over_days_and_changes_of_the_clock(
    rule: ScheduleRule, zone: ZoneInfo, day: int
) -> None:
    start, end = midnight(zone, day - 5), midnight(zone, day + 5)
    quiet = quiet_spans(rule.quiet, zone, start, end)
    counted = [
        ordinal(rule, rule.slots[0], zone, local, o.at)
        for local in local_days(zone, start, end)
        for o in occurrences(rule, zone, "s", local.start, local.end)
        if o.reason is not Reason.EXCEPTION_DATE and covering(quiet, o.at) is None
    ]
    assert all(b == a + 1 for a, b in pairwise(counted))


@settings(max_examples=60, deadline=None)
@given(zones, any_day, st.integers(2, 6), st.integers(20, 400), maybe_quiet, weekdays)
def test_each_announcement_is_heard_once_before_any_returns(
    zone: ZoneInfo, day: int, count: int, minutes: int, quiet: object, days: frozenset[int]
) -> None:
    rule = interval_rule(
        "i", minutes, [Candidate(n) for n in "abcdef"[:count]], quiet=quiet, active_days=days
    )
    found = occurrences(rule, zone, "s", midnight(zone, day - 6), midnight(zone, day + 6))
    heard = [o.announcement_id for o in found if o.due]
    assert all(a != b for a, b in pairwise(heard))
    starts = [i for i in range(count) if all(_is_bag(heard, j, count) for j in range(i, len(heard), count))]
    assert starts or len(heard) < count


def _is_bag(heard: list[str | None], start: int, count: int) -> bool:
    some = heard[start : start + count]
    return len(set(some)) == len(some)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.lists(rules, min_size=1, max_size=3), cut_windows(most_hours=40))
def test_the_least_gap_is_kept_and_its_breach_named(
    data: st.DataObject, schedules: list[ScheduleRule], window: Window
) -> None:
    zone, start, cut, end = window
    floor = data.draw(floors(zone, cut))
    found = floor_occurrences(schedules, floor, "s", start, end)
    assert list(found) == sorted(found, key=lambda o: o.precedence)
    due = [o for o in found if o.due]
    assert all(b.at - a.at >= floor.least_gap_us for a, b in pairwise(due))
    for occurrence in found:
        assert (occurrence.reason is Reason.LEAST_GAP) == (occurrence.by is not None)
        if occurrence.by is not None:
            assert _neighbours(occurrence, schedules, floor)


def _neighbours(occurrence: Occurrence, schedules: list[ScheduleRule], floor: FloorRules) -> bool:
    """Is there something else due without the gap nearer than the gap?"""
    gap = floor.least_gap_us
    near = [
        other
        for rule in schedules
        for other in occurrences(rule, floor.zone, "s", occurrence.at - gap, occurrence.at + gap, floor)
    ]
    return len([other for other in near if other.due]) >= 2


def test_a_schedule_that_can_never_fire_is_told_at_once() -> None:
    zone = load_zone("Etc/UTC")
    yesterday = Candidate("a", valid_until=0)
    assert next_occurrence(interval_rule("i", 1, [yesterday]), zone, "s", 10, due_only=True) is None
    assert next_occurrence(timeline_rule("t", 60, []), zone, "s", 10) is None


BAD: list[Callable[[], object]] = [
    lambda: interval_rule("i", 0, []),
    lambda: timeline_rule("t", 1, [(60, Candidate("a"))]),
    lambda: interval_rule("i", 5, [], active_days=[0]),
    lambda: interval_rule("i", 5, [], expiry_us=0),
    lambda: FloorRules(UTC, least_gap_us=DAY_US),
    lambda: FloorRules(UTC, least_gap_us=-HOUR_US),
    lambda: DateRange(date(2026, 1, 2), date(2026, 1, 1)),
]


@pytest.mark.parametrize("make", BAD)
def test_nonsense_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        make()
