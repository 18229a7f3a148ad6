"""Quiet hours and spans: properties that hold for every zone and every window."""

from __future__ import annotations

from datetime import UTC, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.domain import (
    QuietHours,
    Span,
    clip,
    covering,
    from_us,
    gaps,
    is_quiet,
    quiet_hours,
    quiet_spans,
    quiet_until,
    to_us,
    union,
)
from zones.domain.tests.strategies import cut_windows, maybe_quiet
from zones.domain.tests.strategies import quiet_hours as quiet_hours_strategy
from zones.domain.wallclock import HOUR_US

Window = tuple[ZoneInfo, int, int, int]
spans = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda p: Span(*p)), max_size=8)


@pytest.mark.parametrize(
    ("start", "end"), [(None, time(6)), (time(6), None), (time(6), time(6)), (time(6, tzinfo=UTC), time(7))]
)
def test_half_or_empty_quiet_hours_are_refused(start: time | None, end: time | None) -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        quiet_hours(start, end)


def test_neither_edge_is_no_quiet_hours() -> None:
    assert quiet_hours(None, None) is None
    assert quiet_hours(time(22), time(6)) == QuietHours(time(22), time(6))


@given(quiet_hours_strategy, cut_windows())
def test_spans_do_not_depend_on_the_window(hours: QuietHours, window: Window) -> None:
    zone, start, cut, end = window
    whole = quiet_spans(hours, zone, start, end)
    assert union(quiet_spans(hours, zone, start, cut), quiet_spans(hours, zone, cut, end)) == whole
    assert clip(whole, start, cut) == quiet_spans(hours, zone, start, cut)


@given(quiet_hours_strategy, cut_windows())
def test_an_instant_is_quiet_if_a_span_holds_it(hours: QuietHours, window: Window) -> None:
    zone, start, cut, end = window
    span = covering(quiet_spans(hours, zone, start - 50 * HOUR_US, end + 50 * HOUR_US), cut)
    assert is_quiet(hours, zone, cut) == (span is not None)
    assert quiet_until(hours, zone, cut) == (span and span.end)


@given(quiet_hours_strategy, cut_windows())
def test_away_from_a_change_the_clock_reads_inside_the_hours(hours: QuietHours, window: Window) -> None:
    zone, at, _, _ = window
    around = {from_us(at + n * HOUR_US, zone).utcoffset() for n in range(-26, 27)}
    if len(around) > 1:
        return
    clock = from_us(at, zone).time()
    inside = hours.start <= clock < hours.end
    if hours.end < hours.start:
        inside = clock >= hours.start or clock < hours.end
    assert is_quiet(hours, zone, at) == inside


@given(quiet_hours_strategy, cut_windows(most_hours=24))
def test_a_window_is_never_empty_and_never_longer_than_a_day_and_the_fold(
    hours: QuietHours, window: Window
) -> None:
    zone, start, _, _ = window
    for span in quiet_spans(hours, zone, start - 72 * HOUR_US, start + 72 * HOUR_US)[1:-1]:
        wall_minutes = (hours.end.hour - hours.start.hour) * 60 + hours.end.minute - hours.start.minute
        length = wall_minutes % 1440 * 60 * 1_000_000
        assert span.end - span.start > 0
        assert abs(span.end - span.start - length) <= 24 * HOUR_US  # Apia skipped a whole day
        free = 24 * HOUR_US - length
        if (
            zone.key != "Pacific/Apia" and free > HOUR_US
        ):  # else what is not quiet may fall into an hour that is skipped
            assert abs(span.end - span.start - length) <= HOUR_US


def test_two_windows_are_one_when_the_clock_skips_what_lies_between() -> None:
    cairo = ZoneInfo("Africa/Cairo")
    all_but_a_minute = QuietHours(time(0, 1), time(0, 0))
    skipped = datetime(2023, 4, 28, 1, 0, tzinfo=cairo)  # that day began at 01:00
    around = quiet_spans(
        all_but_a_minute, cairo, to_us(skipped) - 30 * HOUR_US, to_us(skipped) + 30 * HOUR_US
    )
    assert covering(around, to_us(skipped)) == Span(
        to_us(datetime(2023, 4, 27, 0, 1, tzinfo=cairo)), to_us(datetime(2023, 4, 29, 0, 0, tzinfo=cairo))
    )


@given(maybe_quiet, cut_windows())
def test_gaps_and_spans_make_up_the_window(hours: QuietHours | None, window: Window) -> None:
    zone, start, _, end = window
    quiet = quiet_spans(hours, zone, start, end)
    whole = union(quiet, gaps(quiet, start, end))
    assert whole == ((Span(start, end),) if start < end else ())


@given(spans, spans)
def test_union_holds_exactly_the_instants_of_its_parts(some: list[Span], more: list[Span]) -> None:
    merged = union(some, more)
    assert all(a.end < b.start for a, b in pairwise(merged))
    for at in range(51):
        held = any(span.start <= at < span.end for span in some + more)
        assert (covering(merged, at) is not None) == held
