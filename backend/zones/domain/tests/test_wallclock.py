"""Wall clocks: what the vector file does not say."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.domain import (
    UnknownZoneError,
    day_of,
    exists,
    first_occurrence,
    from_us,
    load_zone,
    local_days,
    midnight,
    reach,
    to_us,
)
from zones.domain.tests.strategies import any_day, cut_windows, zones
from zones.domain.wallclock import DAY_US, irregular_days

NAIVE = datetime(1970, 1, 1)  # noqa: DTZ001 - the zero of wall times


@pytest.mark.parametrize(
    "name", ["", "Europe", "Mars/Olympus", "../UTC", "/etc/localtime", "tzdata.zi", "zone.tab"]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(UnknownZoneError):
        load_zone(name)


def test_the_machines_own_database_does_not_matter(tmp_path: Path) -> None:
    wrong = Path(zoneinfo.__file__)  # not a zone file at all
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe" / "Oslo").write_bytes(wrong.read_bytes())
    zoneinfo.reset_tzpath(to=[str(tmp_path)])
    try:
        with pytest.raises(ValueError, match="TZif"):
            zoneinfo.ZoneInfo.no_cache("Europe/Oslo")
        assert load_zone("Europe/Oslo").utcoffset(datetime(2026, 6, 1)) == timedelta(hours=2)  # noqa: DTZ001
    finally:
        zoneinfo.reset_tzpath()


def test_instants_need_a_zone_and_wall_times_have_none() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_us(datetime(2026, 1, 1))  # noqa: DTZ001 - the point
    with pytest.raises(ValueError, match="naive"):
        reach(UTC, datetime(2026, 1, 1, tzinfo=UTC))


@given(st.integers(-(10**15), 4 * 10**15), zones)
def test_instants_survive_the_way_there_and_back(at: int, zone: zoneinfo.ZoneInfo) -> None:
    assert to_us(from_us(at, zone)) == at
    offset = timezone(timedelta(hours=5, minutes=45))
    assert to_us(from_us(at, offset)) == at


@given(zones, any_day, st.integers(0, 1439), st.integers(0, 1440))
def test_a_later_wall_time_is_never_reached_earlier(
    zone: zoneinfo.ZoneInfo, day: int, minute: int, more: int
) -> None:
    wall = NAIVE + timedelta(days=day - NAIVE.toordinal(), minutes=minute)
    at = reach(zone, wall)
    assert at <= reach(zone, wall + timedelta(minutes=more))
    shown = from_us(at, zone).replace(tzinfo=None)
    just_before = from_us(at - 1, zone).replace(tzinfo=None)
    assert just_before < wall <= shown
    assert exists(zone, wall) == (shown == wall)
    assert first_occurrence(zone, wall) == (at if shown == wall else None)


@given(cut_windows())
def test_local_days_tile_any_window(window: tuple[zoneinfo.ZoneInfo, int, int, int]) -> None:
    zone, start, _, end = window
    days = local_days(zone, start, end)
    if start == end:
        assert days == ()
        return
    assert days[0].start <= start < days[0].end
    assert days[-1].start < end <= days[-1].end
    assert all(a.end == b.start for a, b in pairwise(days))
    assert all(day_of(zone, day.start) == day == day_of(zone, day.end - 1) for day in days)


@given(zones, any_day)
def test_irregular_days_are_those_that_are_not_24_h_long(zone: zoneinfo.ZoneInfo, day: int) -> None:
    expected = [
        number
        for number in range(day - 200, day + 200)
        if midnight(zone, number + 1) - midnight(zone, number) != DAY_US
    ]
    assert [found.ordinal for found in irregular_days(zone, day - 200, day + 200)] == expected
    assert irregular_days(zone, day, day) == []
