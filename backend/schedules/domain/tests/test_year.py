"""A year of thirty shops in thirty zones: nothing lost, nothing doubled, nothing out of its hours."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest

from schedules.domain import ScheduleRule, occurrences
from schedules.domain.tests import reference_schedule, vectors
from zones.domain import load_zone, to_us
from zones.domain.wallclock import SECOND_US

ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Johannesburg",
    "America/Anchorage",
    "America/Argentina/Buenos_Aires",
    "America/Havana",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Dubai",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
)
INTERVALS = (20, 25, 30, 45, 60, 90, 100, 240)
SAMPLE = (
    ("Africa/Casablanca", date(2026, 3, 22)),
    ("America/Havana", date(2026, 3, 8)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Beirut", date(2026, 10, 25)),
)


def _shop(zone: str) -> vectors.Spec:
    number = ZONES.index(zone)
    return {
        "id": str(number),
        "type": "interval",
        "interval_minutes": INTERVALS[number % len(INTERVALS)],
        "announcements": [{"id": name} for name in "abcdefg"[: 1 + number % 7]],
        "active_days": [[], [1, 2, 3, 4, 5], [6, 7], [1]][number % 4],
        "exceptions": [["2026-05-01", "2026-05-02"]],
        "quiet": {"start": f"{19 + number % 5}:30", "end": f"0{5 + number % 4}:15"},
    }


def _midnight(zone: str, day: date) -> int:
    """The first minute of a date on a clock that is read every quarter of an hour."""
    zone_info = load_zone(zone)
    at = to_us(datetime.combine(day, time(), tzinfo=zone_info)) - 7200 * SECOND_US
    while datetime.fromtimestamp(at // SECOND_US, zone_info).date() < day:
        at += 900 * SECOND_US
    return at


@pytest.mark.parametrize("zone", ZONES)
def test_a_year_has_every_occurrence_once_and_in_its_hours(zone: str) -> None:
    spec = _shop(zone)
    rule: ScheduleRule = vectors.schedule(spec)
    zone_info = load_zone(zone)
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(366)]
    midnights = [_midnight(zone, day) for day in days]
    found = occurrences(rule, zone_info, "s", midnights[0], midnights[-1])
    step = rule.period_us
    expected = [
        at
        for day, (start, end) in zip(days, pairwise(midnights), strict=False)
        if not rule.active_days or day.isoweekday() in rule.active_days
        for at in range(start, end, step)
    ]
    assert [o.at for o in found] == expected
    due = [o for o in found if o.due]
    assert len(due) > 0.3 * len(found)
    assert rule.quiet is not None
    for occurrence in due:
        local = datetime.fromtimestamp(occurrence.at // SECOND_US, zone_info)
        assert rule.quiet.end <= local.time() < rule.quiet.start
        assert local.date() not in {date(2026, 5, 1), date(2026, 5, 2)}
    assert _in_whole_bags([o.announcement_id for o in due], len(spec["announcements"]))


def _in_whole_bags(heard: list[str | None], count: int) -> bool:
    """Is there a place from which on every `count` in a row are all different? The year begins inside a bag."""
    return any(
        all(len(set(heard[i : i + count])) == count for i in range(start, len(heard) - count, count))
        for start in range(count)
    )


@pytest.mark.parametrize(("zone", "day"), SAMPLE)
def test_sampled_days_are_what_the_reference_says(zone: str, day: date) -> None:
    start, end = _midnight(zone, day), _midnight(zone, day + timedelta(days=1))
    spec = {**_shop(zone), "active_days": []}
    case = {"seed": "s", "zone": zone, "schedules": [spec], "from": start, "to": end}
    found = occurrences(vectors.schedule(spec), load_zone(zone), "s", start, end)
    assert [vectors.occurrence_row(o, zone) for o in found] == reference_schedule.occurrences(case)
