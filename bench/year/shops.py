"""The shops of the year, and its bounds. Instants are seconds UTC, but in the shops, which are told in µs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

from schedules.domain.tests.test_year import ZONES
from schedules.domain.tests.vectors import Spec

SEED = "a year"
FIRST, LAST = date(2026, 1, 1), date(2027, 1, 1)
US, MINUTE, HOUR, DAY = 1_000_000, 60, 3_600, 86_400
START, END = (int(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp()) for d in (FIRST, LAST))


def shop_of(number: int) -> Spec:
    """One shop, in the words of the vector file; the same for a number in every run."""
    rng = Random(f"{SEED}/{number}")  # noqa: S311  # chance that can be repeated, no secret
    stops = [_span(rng, 10 * MINUTE, 3 * DAY) for _ in range(rng.choice((0, 0, 1, 3)))]
    return {
        "number": number,
        "zone": ZONES[number % len(ZONES)],
        "devices": rng.choice((1, 2, 4, 10)),
        "floor": {
            "quiet": _quiet(rng) if rng.random() < 0.8 else None,
            "stops": stops,
            "locked": [_span(rng, DAY, 30 * DAY)] if rng.random() < 0.05 else [],
            "least_gap_us": rng.choice((5, 15, 40)) * MINUTE * US if rng.random() < 0.08 else 0,
        },
        "schedules": [_schedule(rng, f"{number}-{place}") for place in range(rng.choice((1, 2, 2, 3)))],
    }


def _schedule(rng: Random, name: str) -> Spec:
    spec: Spec = {
        "id": name,
        "active_days": rng.choice(([], [], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6], [6, 7], [3])),
        "exceptions": [_dates(rng) for _ in range(rng.choice((0, 0, 2, 5)))],
        "quiet": _quiet(rng) if rng.random() < 0.4 else None,
        "avoid_repeat": rng.random() < 0.8,
    }
    announcements = [_announcement(rng, name) for name in "abcdefg"[: rng.randint(1, 7)]]
    if rng.random() < 0.7:
        minutes = rng.choice((20, 30, 45, 60, 60, 90, 100, 120, 240))
        return {**spec, "type": "interval", "interval_minutes": minutes, "announcements": announcements}
    cycle = rng.choice((60, 90, 120, 240, 420, 720, 1440))
    marks = [{**each, "timestamp_seconds": rng.randrange(cycle * 60)} for each in announcements[:4]]
    return {**spec, "type": "timeline", "cycle_duration_minutes": cycle, "announcements": marks}


def _announcement(rng: Random, name: str) -> Spec:
    if rng.random() < 0.9:
        return {"id": name}
    begin, end = _span(rng, 10 * DAY, 200 * DAY)
    return {"id": name, "valid_from": begin, "valid_until": end}


def _quiet(rng: Random) -> Spec:
    """A night, or now and then a pause at noon."""
    if rng.random() < 0.2:
        return {
            "start": f"12:{rng.randrange(60):02}",
            "end": f"1{rng.randint(3, 5)}:{rng.choice((0, 15)):02}",
        }
    return {"start": f"{rng.randint(18, 23)}:{rng.choice((0, 30, 59)):02}", "end": f"0{rng.randint(1, 9)}:30"}


def _dates(rng: Random) -> list[str]:
    first = FIRST + timedelta(days=rng.randrange(365))
    return [first.isoformat(), (first + timedelta(days=rng.choice((0, 0, 1, 13)))).isoformat()]


def _span(rng: Random, shortest: int, longest: int) -> list[int]:
    begin = rng.randrange(START, END)
    return [begin * US, (begin + rng.randint(shortest, longest)) * US]
