"""A slow wall clock: it walks a zone a quarter of an hour at a time and reads every one.

The reference implementations of this folder exist to contradict the engine. They share no code with it, know
no trick, and read local time only by converting UTC instants. Instants here are minutes or seconds since
1970-01-01T00:00Z; local readings are minutes since a local 1970-01-01T00:00. Every change of offset since
1973 falls on a quarter of an hour, so none happens inside a step.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

QUARTER = 15
DAY = 1440


def minutes(moment: datetime) -> int:
    """An aware datetime on a whole minute, in minutes since 1970."""
    seconds = moment.timestamp()
    assert seconds % 60 == 0
    return int(seconds) // 60


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


class Clock:
    """The readings of one zone from a few days before `first` to a few days after `last` (both dates)."""

    def __init__(self, zone: ZoneInfo, first: date, last: date) -> None:
        self.begin = (day_number(first) - 4) * DAY
        self.stop = (day_number(last) + 5) * DAY
        self._local: list[int] = []
        self._highest: list[int] = []
        self.midnights: dict[int, int] = {}
        highest = -(10**12)
        for minute in range(self.begin, self.stop, QUARTER):
            offset = datetime.fromtimestamp(minute * 60, UTC).astimezone(zone).utcoffset()
            assert offset is not None
            local = minute + int(offset.total_seconds()) // 60
            self._local.append(local)
            self._highest.append(highest)
            reading = max(highest, local)
            for number in range(highest // DAY + 1 if self.midnights else local // DAY, reading // DAY + 1):
                self.midnights.setdefault(number, minute)
            highest = max(highest, local + QUARTER - 1)

    def read(self, minute: int) -> int:
        """The latest local minute that the clock has shown by now: it stands still while the hour repeats."""
        quarter, rest = divmod(minute - self.begin, QUARTER)
        return max(self._highest[quarter], self._local[quarter] + rest)

    def wall(self, minute: int) -> int:
        """What the clock shows."""
        quarter, rest = divmod(minute - self.begin, QUARTER)
        return self._local[quarter] + rest


@cache
def clock(zone: ZoneInfo, first_year: int, last_year: int) -> Clock:
    """The clock of a zone over whole years."""
    return Clock(zone, date(first_year, 1, 1), date(last_year, 12, 31))


def weekday_of(number: int) -> int:
    """ISO weekday of a day number (1970-01-01 was a Thursday)."""
    return (number + 3) % 7 + 1


def is_quiet(ticking: Clock, minute: int, quiet: dict[str, object] | None) -> bool:
    """Does the clock stand inside the quiet hours {"start": "HH:MM", "end": "HH:MM", "days": [...]}?"""
    if quiet is None:
        return False
    day, time = divmod(ticking.read(minute), DAY)
    start, end = _minute_of_day(quiet["start"]), _minute_of_day(quiet["end"])
    if start < end:
        inside, begun = start <= time < end, day
    else:
        inside, begun = time >= start or time < end, day if time >= start else day - 1
    days = quiet.get("days")
    assert days is None or isinstance(days, list)
    return inside and (not days or weekday_of(begun) in days)


def _minute_of_day(text: object) -> int:
    hours, mins = str(text).split(":")
    return int(hours) * 60 + int(mins)
