"""The values that a schedule and a floor bring to the engine. Instants are µs UTC, lengths µs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, tzinfo
from enum import IntEnum, StrEnum

from zones.domain.quiet import EVERY_DAY, QuietHours, Span, Stop
from zones.domain.wallclock import MINUTE_US, SECOND_US

DEFAULT_EXPIRY_US = 2 * SECOND_US
LONGEST_LEAST_GAP_US = 720 * MINUTE_US


class Priority(IntEnum):
    """What outranks what on one device; the smaller wins."""

    EMERGENCY = 0
    INSTANT = 1
    TIMELINE = 2
    INTERVAL = 3
    PLAYLIST = 4
    MUSIC = 5


class Reason(StrEnum):
    """Why an evaluated occurrence does not play, in the order in which reasons are looked for.

    The codes are stable: they stand in the ledger and in the API.
    """

    DISABLED = "disabled"
    EXCEPTION_DATE = "exception_date"
    CLIENT_LOCKED = "client_locked"
    FLOOR_STOPPED = "floor_stopped"
    QUIET_HOURS = "quiet_hours"
    NO_ANNOUNCEMENT = "no_announcement"
    NOT_VALID = "not_valid"
    LEAST_GAP = "least_gap"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An announcement of a schedule; it may play at `at` if enabled and valid_from ≤ at < valid_until."""

    id: str
    enabled: bool = True
    valid_from: int | None = None
    valid_until: int | None = None

    def valid_at(self, at: int) -> bool:
        """Does its validity (None: unbounded) hold the instant `at`?"""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_until is None or at < self.valid_until
        )


@dataclass(frozen=True, slots=True)
class DateRange:
    """Local dates from `first` to `last`, both included. Raises ValueError if `last` is earlier."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("a range of dates ends before it begins")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a schedule's period: `offset_us` after its start, one of `candidates` plays."""

    offset_us: int
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class ScheduleRule:
    """A schedule as the engine sees it; make it with `interval_rule` or `timeline_rule`.

    Periods of `period_us` are laid end to end from each active day's local midnight, in elapsed time, and cut
    by the next midnight; every `slot` of every period is an occurrence. An interval schedule has one slot, at
    the start. `active_days` are ISO weekdays, empty for all. `quiet` are the schedule's own quiet hours; they
    hold on every day, active or not, so the night after a free Sunday is quiet too.
    """

    id: str
    priority: Priority
    period_us: int
    slots: tuple[Slot, ...]
    active_days: frozenset[int] = EVERY_DAY
    exceptions: tuple[DateRange, ...] = ()
    quiet: QuietHours | None = None
    avoid_repeat: bool = True
    enabled: bool = True
    expiry_us: int = DEFAULT_EXPIRY_US

    def __post_init__(self) -> None:
        if self.period_us <= 0:
            raise ValueError("a schedule's interval or cycle is longer than nothing")
        if not self.active_days <= set(range(1, 8)):
            raise ValueError("active days are 1 (Monday) to 7 (Sunday)")
        if self.expiry_us <= 0:
            raise ValueError("an occurrence expires after its start")
        offsets = [slot.offset_us for slot in self.slots]
        if offsets != sorted(set(offsets)) or any(not 0 <= offset < self.period_us for offset in offsets):
            raise ValueError("slots stand in order, one at an instant, inside the cycle")


@dataclass(frozen=True, slots=True)
class FloorRules:
    """What a floor lays over the schedules of its devices.

    `quiet`: its quiet hours. `stops`: temporary stops. `locked`: spans in which its client may not play.
    `least_gap_us`: least time from the start of one scheduled announcement to the start of the next, 0 for
    none, at most 12 h.
    """

    zone: tzinfo
    quiet: QuietHours | None = None
    stops: tuple[Stop, ...] = ()
    locked: tuple[Span, ...] = ()
    least_gap_us: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.least_gap_us <= LONGEST_LEAST_GAP_US:
            raise ValueError("a least gap is 0 to 12 h")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One instant of one schedule, with what comes of it.

    `at`: when it starts. `expires_at`: it never starts at or after this. `offset_us`: which slot of the
    period. `announcement_id`: what was chosen, None if nothing could be. `reason`: None if it is due, else
    why not. `by`: for `least_gap`, the schedule whose announcement came too near.
    """

    schedule_id: str
    priority: Priority
    at: int
    expires_at: int
    offset_us: int
    announcement_id: str | None
    reason: Reason | None = None
    by: str | None = None

    @property
    def due(self) -> bool:
        """Is it to be played?"""
        return self.reason is None

    @property
    def precedence(self) -> tuple[int, int, str]:
        """The order in which occurrences of a floor are taken: instant, priority, schedule."""
        return self.at, self.priority, self.schedule_id


def interval_rule(
    id: str,
    interval_minutes: int,
    candidates: Iterable[Candidate],
    *,
    active_days: Iterable[int] = (),
    exceptions: Iterable[DateRange] = (),
    quiet: QuietHours | None = None,
    avoid_repeat: bool = True,
    enabled: bool = True,
    expiry_us: int = DEFAULT_EXPIRY_US,
) -> ScheduleRule:
    """Every `interval_minutes` from local midnight, one of the candidates. Raises ValueError below one."""
    return ScheduleRule(
        id=id,
        priority=Priority.INTERVAL,
        period_us=interval_minutes * MINUTE_US,
        slots=(Slot(0, tuple(candidates)),),
        active_days=frozenset(active_days),
        exceptions=tuple(exceptions),
        quiet=quiet,
        avoid_repeat=avoid_repeat,
        enabled=enabled,
        expiry_us=expiry_us,
    )


def timeline_rule(
    id: str,
    cycle_duration_minutes: int,
    marks: Iterable[tuple[int, Candidate]],
    *,
    active_days: Iterable[int] = (),
    exceptions: Iterable[DateRange] = (),
    quiet: QuietHours | None = None,
    avoid_repeat: bool = True,
    enabled: bool = True,
    expiry_us: int = DEFAULT_EXPIRY_US,
) -> ScheduleRule:
    """Cycles from local midnight; `marks` are (timestamp_seconds, candidate).

    Announcements on the same second are one slot, of which each cycle plays one. Raises ValueError for a
    timestamp outside the cycle.
    """
    by_second: dict[int, list[Candidate]] = {}
    for second, candidate in marks:
        by_second.setdefault(second, []).append(candidate)
    return ScheduleRule(
        id=id,
        priority=Priority.TIMELINE,
        period_us=cycle_duration_minutes * MINUTE_US,
        slots=tuple(Slot(second * SECOND_US, tuple(by_second[second])) for second in sorted(by_second)),
        active_days=frozenset(active_days),
        exceptions=tuple(exceptions),
        quiet=quiet,
        avoid_repeat=avoid_repeat,
        enabled=enabled,
        expiry_us=expiry_us,
    )
