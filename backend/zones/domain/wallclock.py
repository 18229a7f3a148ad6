"""The wall clock of a zone, and the instants it stands for.

Instants are integer µs UTC since 1970-01-01T00:00Z. Windows are half-open, [start, end).

One definition carries every rule that reads a wall clock: a wall time is *reached* at the first
instant at which the zone's clock shows it or a later one. So

- a wall time that the clock shows twice (autumn fold) counts once, the first time;
- a wall time that the clock never shows (spring gap) is reached at the first instant after the gap;
- a later wall time is never reached earlier than an earlier one.

A local day runs from the reach of its midnight to the reach of the next one: 23, 24 or 25 h, 23.5 or 24.5 h
at Lord Howe, and nothing at all where a zone skipped a whole date (Pacific/Apia, 2011-12-30).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_ONE_US = timedelta(microseconds=1)


class UnknownZoneError(ValueError):
    """The name is no zone of the time zone database."""


@cache
def load_zone(name: str) -> ZoneInfo:
    """The zone `name` ("Europe/London") from the `tzdata` package, never from the machine.

    `ZoneInfo(name)` prefers the operating system's files, so that two machines may disagree about next
    spring. Reading the package, whose version is locked, makes every process compute the same plan. Code that
    must use `ZoneInfo(name)` gets the same by `PYTHONTZPATH=""` in its environment.

    Raises UnknownZoneError for a name that the package lacks, ModuleNotFoundError without the package.
    """
    parts = name.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        raise UnknownZoneError(f"{name!r} is not the name of a time zone")
    try:
        with resources.files("tzdata").joinpath("zoneinfo", *parts).open("rb") as data:
            return ZoneInfo.from_file(data, key=name)
    except (OSError, ValueError) as error:
        raise UnknownZoneError(f"{name!r} is not the name of a time zone") from error


def to_us(moment: datetime) -> int:
    """An aware datetime as µs UTC. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime is no instant")
    return (moment - _EPOCH) // _ONE_US


def from_us(at: int, zone: tzinfo = UTC) -> datetime:
    """The instant `at` (µs UTC) as an aware datetime of `zone`."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(zone)


def exists(zone: tzinfo, wall: datetime) -> bool:
    """Does the zone's clock ever show the naive wall time `wall`?"""
    before, after = _offsets(zone, wall)
    return before >= after


def first_occurrence(zone: tzinfo, wall: datetime) -> int | None:
    """The first instant (µs UTC) at which the clock shows `wall`; None in a gap."""
    return reach(zone, wall) if exists(zone, wall) else None


def reach(zone: tzinfo, wall: datetime) -> int:
    """The first instant (µs UTC) at which the zone's clock shows the naive `wall` or a later wall time."""
    before, after = _offsets(zone, wall)
    local = (wall - _NAIVE_EPOCH) // _ONE_US
    if before >= after:  # PEP 495: fold=0 is the first of two, or the only one
        return local - before
    low, high = local - after, local - before  # in a gap: low lies before the change of offset, high not
    while high - low > 1:
        middle = (low + high) // 2
        if from_us(middle, zone).replace(tzinfo=None) >= wall:
            high = middle
        else:
            low = middle
    return high


def _offsets(zone: tzinfo, wall: datetime) -> tuple[int, int]:
    """The UTC offsets in µs that PEP 495 gives for fold 0 and 1; the second is greater only in a gap."""
    if wall.tzinfo is not None:
        raise ValueError("a wall time is a naive datetime")
    before = zone.utcoffset(wall.replace(tzinfo=zone, fold=0))
    after = zone.utcoffset(wall.replace(tzinfo=zone, fold=1))
    if before is None or after is None:
        raise ValueError("the zone has no UTC offset")
    return before // _ONE_US, after // _ONE_US


@dataclass(frozen=True, slots=True)
class LocalDay:
    """A local day: proleptic Gregorian `ordinal` of its date, and [start, end) in µs UTC."""

    ordinal: int
    start: int
    end: int

    @property
    def date(self) -> date:
        """The calendar date."""
        return date.fromordinal(self.ordinal)

    @property
    def weekday(self) -> int:
        """ISO weekday, 1 Monday to 7 Sunday."""
        return weekday(self.ordinal)


def weekday(ordinal: int) -> int:
    """ISO weekday (1 Monday to 7 Sunday) of a date's ordinal."""
    return (ordinal - 1) % 7 + 1


@lru_cache(maxsize=65_536)
def midnight(zone: tzinfo, ordinal: int) -> int:
    """The instant (µs UTC) at which the local day of this date begins."""
    return reach(zone, _NAIVE_EPOCH + timedelta(days=ordinal - _EPOCH_ORDINAL))


def local_day(zone: tzinfo, ordinal: int) -> LocalDay:
    """The local day of a date, given by its ordinal."""
    return LocalDay(ordinal, midnight(zone, ordinal), midnight(zone, ordinal + 1))


def day_of(zone: tzinfo, at: int) -> LocalDay:
    """The local day in which the instant `at` lies."""
    ordinal = from_us(at, zone).toordinal()
    while midnight(zone, ordinal) > at:
        ordinal -= 1
    while midnight(zone, ordinal + 1) <= at:
        ordinal += 1
    return local_day(zone, ordinal)


def local_days(zone: tzinfo, start: int, end: int) -> tuple[LocalDay, ...]:
    """The local days that share an instant with [start, end), in order; days without length are left out."""
    days = []
    if start < end:
        day = day_of(zone, start)
        while day.start < end:
            if day.start < day.end:
                days.append(day)
            day = local_day(zone, day.ordinal + 1)
    return tuple(days)


def irregular_days(zone: tzinfo, first: int, stop: int) -> list[LocalDay]:
    """The local days that are not 24 h long, with ordinals in [first, stop)."""
    if first >= stop:
        return []
    years = range(date.fromordinal(first).year, date.fromordinal(stop - 1).year + 1)
    return [day for year in years for day in _irregular_days_of(zone, year) if first <= day.ordinal < stop]


@lru_cache(maxsize=4_096)
def _irregular_days_of(zone: tzinfo, year: int) -> tuple[LocalDay, ...]:
    first, stop = date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()
    days = (local_day(zone, ordinal) for ordinal in range(first, stop))
    return tuple(day for day in days if day.end - day.start != DAY_US)
