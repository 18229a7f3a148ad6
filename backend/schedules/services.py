"""Changes of schedules and stops. Keyword-only, atomic; the tick sees to what was written ahead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from audit.services import changes_named, record
from clients.models import Client
from common.validators import field_error
from devices.models import Device
from devices.services import announce_plan
from schedules import validation
from schedules.models import (
    FloorStop,
    Schedule,
    ScheduleAnnouncement,
    ScheduleDevice,
    ScheduleException,
    ScheduleFloor,
)
from schedules.overruling import overrule
from schedules.renewal import changed
from schedules.selectors import audience_of
from schedules.signals import on_floor
from schedules.validation import Entry
from users.models import User
from zones.models import Floor

RESOURCE = "schedule"


@dataclass(frozen=True, slots=True)
class DaysOff:
    """Local dates, both included, without the schedule."""

    first: date
    last: date
    note: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """The lists of a schedule; None: it stays as it is."""

    entries: Sequence[Entry] | None = None
    devices: Sequence[Device] | None = None
    floors: Sequence[Floor] | None = None
    exceptions: Sequence[DaysOff] | None = None


@transaction.atomic
def create_schedule(*, client: Client, by: User, parts: Parts, now: datetime, **fields: Any) -> Schedule:
    """A schedule of this business. `fields` are the other columns that a person may set.

    Raises `ValidationError` that says what is missing for its type, what contradicts, and, of one that is switched
    on, why it could never fire.
    """
    schedule = Schedule(client=client, created_by=by, **fields)
    validation.columns_fit(schedule)
    schedule.save()
    _set_parts(schedule, parts)
    validation.can_fire(schedule, now=now)
    changed(pk=schedule.pk, now=now)
    return schedule


@transaction.atomic
def update_schedule(*, schedule: Schedule, parts: Parts, now: datetime, **changes: Any) -> Schedule:
    """Changes what a person may set, and the lists that are given; raises as `create_schedule` does.

    What fires within the next minute and a half, and does no more, is taken back.
    """
    before = _devices(schedule, now)
    for name, value in changes.items():
        setattr(schedule, name, value)
    validation.columns_fit(schedule)
    schedule.save()
    _set_parts(schedule, parts)
    validation.can_fire(schedule, now=now)
    changed(pk=schedule.pk, now=now)
    announce_plan(devices=before | _devices(schedule, now))
    return schedule


@transaction.atomic
def toggle_schedule(*, schedule: Schedule, now: datetime) -> Schedule:
    """Switches it off, or on again; raises `ValidationError` if it could never fire."""
    with changes_named("toggle"):
        return update_schedule(schedule=schedule, parts=Parts(), now=now, enabled=not schedule.enabled)


@transaction.atomic
def delete_schedule(*, schedule: Schedule, now: datetime) -> None:
    """Removes a schedule and takes back what it has written ahead. What it has played stays in the ledger."""
    changed(pk=schedule.pk, now=now)
    announce_plan(devices=_devices(schedule, now))
    overrule([schedule], {}, now=now)
    schedule.delete()


@transaction.atomic
def stop_floor(*, floor: Floor, until: datetime | None, by: User, now: datetime) -> FloorStop:
    """Silences a floor's music and schedules from `now` until an instant, or until `resume_floor`.

    A floor that is stopped already is stopped until then instead. Raises `ValidationError` for an instant that has
    passed.
    """
    if until is not None and until <= now:
        raise field_error("until", "in_the_past", "That has passed already.")
    running = list(_running(floor, now))
    stop = running[0] if running else FloorStop(floor=floor, starts_at=now, created_by=by)
    stop.until = until
    stop.save()
    for other in running[1:]:
        other.until = now
        other.save()
    _heard_otherwise(floor, now)
    return stop


@transaction.atomic
def resume_floor(*, floor: Floor, now: datetime) -> bool:
    """Lifts the stop of a floor; answers whether there was one. The music is where it would have been."""
    running = list(_running(floor, now))
    for stop in running:
        stop.until = now
        stop.save()
    if running:
        _heard_otherwise(floor, now)
    return bool(running)


# --- parts -----------------------------------------------------------------------------------------------


def _running(floor: Floor, now: datetime) -> Iterable[FloorStop]:
    stops = FloorStop.objects.select_for_update(of=("self",)).filter(floor=floor)
    return (stop for stop in stops.select_related("floor") if stop.until is None or stop.until > now)


def _heard_otherwise(floor: Floor, now: datetime) -> None:
    changed(on_floor(floor), now=now)
    announce_plan(devices=Device.objects.filter(floor=floor).values_list("pk", flat=True))


def _devices(schedule: Schedule, now: datetime) -> set[int]:
    audience = audience_of([schedule], now=now)
    return {device.pk for heard in audience.devices.values() for device in heard.get(schedule.pk, ())}


def _set_parts(schedule: Schedule, parts: Parts) -> None:
    before, after = {}, {}
    if parts.entries is not None or schedule.schedule_type == Schedule.Type.INTERVAL:
        before["announcements"], after["announcements"] = _set_entries(schedule, parts.entries)
    validation.entries_fit(schedule)
    if parts.devices is not None:
        before["devices"], after["devices"] = _set_targets(
            ScheduleDevice, "device_id", schedule, [device.pk for device in parts.devices]
        )
    if parts.floors is not None:
        before["floors"], after["floors"] = _set_targets(
            ScheduleFloor, "floor_id", schedule, [floor.pk for floor in parts.floors]
        )
    if parts.exceptions is not None:
        before["exceptions"], after["exceptions"] = _set_exceptions(schedule, parts.exceptions)
    if before != after:
        record(
            "set_parts",
            resource=RESOURCE,
            resource_id=schedule.pk,
            client_id=schedule.client_id,
            details={"before": before, "after": after},
        )


def _set_entries(schedule: Schedule, entries: Sequence[Entry] | None) -> tuple[list[Any], list[Any]]:
    """Replaces the list, or (None) takes the seconds out of one that is an interval's now."""
    rows = ScheduleAnnouncement.objects.filter(schedule=schedule)
    before = list(rows.values_list("announcement_id", "timestamp_seconds"))
    if entries is None:
        rows.exclude(timestamp_seconds=None).update(timestamp_seconds=None)
    else:
        validation.entries_allowed(schedule, entries, {announcement for announcement, _ in before})
        rows.delete()
        ScheduleAnnouncement.objects.bulk_create(
            ScheduleAnnouncement(
                schedule=schedule,
                announcement=entry.announcement,
                timestamp_seconds=entry.timestamp_seconds,
                order=place,
            )
            for place, entry in enumerate(entries)
        )
    return before, list(rows.all().values_list("announcement_id", "timestamp_seconds"))


def _set_targets(
    targets: type[ScheduleDevice] | type[ScheduleFloor], column: str, schedule: Schedule, pks: Sequence[int]
) -> tuple[list[int], list[int]]:
    model: Any = targets
    rows = model.objects.filter(schedule=schedule)
    before = sorted(rows.values_list(column, flat=True))
    rows.exclude(**{f"{column}__in": pks}).delete()
    model.objects.bulk_create([model(schedule=schedule, **{column: pk}) for pk in pks if pk not in before])
    return before, sorted(pks)


def _set_exceptions(schedule: Schedule, days: Sequence[DaysOff]) -> tuple[list[Any], list[Any]]:
    rows = ScheduleException.objects.filter(schedule=schedule)
    columns = ("first_date", "last_date", "note")
    before = list(rows.values_list(*columns))
    rows.delete()
    ScheduleException.objects.bulk_create(
        ScheduleException(schedule=schedule, first_date=off.first, last_date=off.last, note=off.note)
        for off in days
    )
    return before, list(rows.all().values_list(*columns))
