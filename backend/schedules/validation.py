"""What a schedule must be, told in sentences: `ValidationError`s about one field, with stable codes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time

from announcements.models import Announcement
from common import clock
from common.media_fields import Readiness
from common.validators import field_error
from schedules.domain import FloorRules, ScheduleRule, next_occurrence
from schedules.models import LONGEST_PERIOD, Schedule, ScheduleAnnouncement
from schedules.selectors import SEED, audience_of

PERIOD_OF = {
    Schedule.Type.INTERVAL: ("interval_minutes", "how many minutes lie between two announcements"),
    Schedule.Type.TIMELINE: ("cycle_duration_minutes", "how many minutes a cycle lasts"),
}
LIST = "schedule_announcements"


@dataclass(frozen=True, slots=True)
class Entry:
    """One wanted announcement, at a second of the cycle (timelines only)."""

    announcement: Announcement
    timestamp_seconds: int | None = None


def columns_fit(schedule: Schedule) -> None:
    """Its type has its period, quiet hours have both ends, days are weekdays."""
    name, meaning = PERIOD_OF[Schedule.Type(schedule.schedule_type)]
    minutes = getattr(schedule, name)
    if minutes is None:
        raise field_error(
            name, "required", f"A schedule of type {schedule.schedule_type} needs it: {meaning}."
        )
    if not 1 <= minutes <= LONGEST_PERIOD:
        raise field_error(name, "out_of_range", f"Say 1 to {LONGEST_PERIOD} minutes: a day is the longest.")
    _quiet_hours_fit(schedule.quiet_hours_start, schedule.quiet_hours_end)
    # It may have been made by nobody (`created_by` null), which forms would not let pass.
    schedule.full_clean(exclude={"created_by"}, validate_unique=False, validate_constraints=False)


def _quiet_hours_fit(start: time | None, end: time | None) -> None:
    if (start is None) != (end is None):
        missing = "quiet_hours_start" if start is None else "quiet_hours_end"
        raise field_error(missing, "quiet_hours", "Quiet hours need both a start and an end, or neither.")
    if start is not None and start == end:
        raise field_error(
            "quiet_hours_end",
            "quiet_hours",
            "Quiet hours that start and end at the same time are neither all day nor never.",
        )


def entries_allowed(schedule: Schedule, entries: Sequence[Entry], there: Collection[int]) -> None:
    """A new list: each announcement has a sound (those that are `there` may lose theirs), and stands once."""
    seen: set[tuple[int, int | None]] = set()
    for place, entry in enumerate(entries):
        title, key = entry.announcement.title, (entry.announcement.pk, entry.timestamp_seconds)
        if key in seen:
            raise field_error(f"{LIST}.{place}", "duplicate", f"“{title}” is in the list already.")
        seen.add(key)
        if schedule.schedule_type == Schedule.Type.INTERVAL and entry.timestamp_seconds is not None:
            raise field_error(
                f"{LIST}.{place}.timestamp_seconds",
                "not_for_type",
                "Only the announcements of a timeline stand at a second of its cycle.",
            )
        if not entry.announcement.playable and entry.announcement.pk not in there:
            raise field_error(
                f"{LIST}.{place}.announcement",
                "not_ready",
                f"“{title}” cannot be played: {_why(entry.announcement)}.",
            )


def _why(announcement: Announcement) -> str:
    if announcement.status == Readiness.FAILED:
        return (announcement.failure_detail or "its preparation failed").rstrip(".")
    return "it is still being prepared"


def entries_fit(schedule: Schedule) -> None:
    """The list as it is now: a timeline's announcements each stand at a second within the cycle."""
    if schedule.schedule_type != Schedule.Type.TIMELINE:
        return
    length = (schedule.cycle_duration_minutes or 0) * 60
    rows = ScheduleAnnouncement.objects.filter(schedule=schedule).select_related("announcement")
    for place, row in enumerate(rows):
        field, second = f"{LIST}.{place}.timestamp_seconds", row.timestamp_seconds
        if second is None:
            raise field_error(
                field, "required", f"Say at which second of the cycle “{row.announcement}” plays."
            )
        if not 0 <= second < length:
            raise field_error(
                field,
                "beyond_cycle",
                f"“{row.announcement}” stands at second {second}, but the cycle of"
                f" {schedule.cycle_duration_minutes} minutes has the seconds 0 to {length - 1}.",
            )


def can_fire(schedule: Schedule, *, now: datetime) -> None:
    """If it is switched on, something of it can be heard somewhere, some day; else says what stands in its way."""
    if not schedule.enabled:
        return
    audience = audience_of([schedule], now=now)
    rule, places = audience.rules[schedule.pk], audience.places[schedule.pk]
    if not rule.slots or not any(slot.candidates for slot in rule.slots):
        raise field_error(
            LIST, "required", "Without an announcement it can never fire: name one, or switch it off."
        )
    if not any(candidate.enabled for slot in rule.slots for candidate in slot.candidates):
        raise field_error(LIST, "never_fires", "None of its announcements is switched on and has a sound.")
    if not places:
        raise field_error(
            "devices",
            "required",
            "Without a device or a floor it can never fire: name one, or switch it off.",
        )
    laid_over = [FloorRules(audience.floors[place].zone, audience.floors[place].quiet) for place in places]
    if not any(_fires(rule, floor, now) for floor in laid_over):
        raise _never(schedule, rule, laid_over, now)


def _fires(rule: ScheduleRule, floor: FloorRules, now: datetime) -> bool:
    return next_occurrence(rule, floor.zone, SEED, clock.to_us(now), floor=floor, due_only=True) is not None


def _never(schedule: Schedule, rule: ScheduleRule, places: Sequence[FloorRules], now: datetime) -> Exception:
    """What of the rule makes it silent: the first part without which it would fire."""
    if any(_fires(replace(rule, quiet=None), floor, now) for floor in places):
        return field_error(
            "quiet_hours_start",
            "never_fires",
            "All its instants lie in its own quiet hours: it can never fire.",
        )
    open_ = [FloorRules(floor.zone) for floor in places]
    if any(_fires(rule, floor, now) for floor in open_):
        return field_error(
            "floors",
            "never_fires",
            "All its instants lie in the quiet hours of its floors: it can never fire.",
        )
    if any(_fires(replace(rule, exceptions=()), floor, now) for floor in open_):
        return field_error(
            "exceptions",
            "never_fires",
            "Its exceptions leave no active day of the next 400: it would not fire.",
        )
    return field_error(
        LIST,
        "never_fires",
        "Its quiet hours, days, exceptions and announcements' validity leave no instant of the next 400 days.",
    )
