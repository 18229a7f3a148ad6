"""What tests of schedules share: rows, instants, and what came of the occurrences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from common import clock
from common.tenancy import system_scope
from devices.models import Device
from events.models import PlayEvent
from events.tests.support import make_announcement
from schedules.models import Schedule, ScheduleAnnouncement, ScheduleDevice, ScheduleFloor

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
"""A Wednesday."""
NOON_US = clock.to_us(NOON)
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_serial = count(1)


def make_schedule(
    business: Any,
    announcements: Iterable[Any] | None = None,
    *,
    floors: Iterable[Any] = (),
    devices: Iterable[Any] = (),
    planned_until: datetime | None = NOON,
    name: str = "",
    **columns: Any,
) -> Schedule:
    """An interval schedule of a minute, of one new announcement unless some are given.

    A pair (announcement, second) stands on a timeline.
    """
    columns = {"schedule_type": "interval", "interval_minutes": 1} | columns
    given = [make_announcement(business)] if announcements is None else announcements
    with system_scope("test data"):
        schedule = Schedule.objects.create(
            client=business.client,
            name=name or f"Schedule {next(_serial)}",
            planned_until=planned_until,
            **columns,
        )
        for place, entry in enumerate(given):
            announcement, second = entry if isinstance(entry, tuple) else (entry, None)
            ScheduleAnnouncement.objects.create(
                schedule=schedule, announcement=announcement, timestamp_seconds=second, order=place
            )
        for floor in floors:
            ScheduleFloor.objects.create(schedule=schedule, floor=floor)
        for device in devices:
            ScheduleDevice.objects.create(schedule=schedule, device=device)
    return schedule


def timeline(business: Any, marks: Iterable[tuple[Any, int]], minutes: int = 60, **columns: Any) -> Schedule:
    """A timeline of these (announcement, second)."""
    return make_schedule(
        business,
        marks,
        **(
            {"schedule_type": "timeline", "interval_minutes": None, "cycle_duration_minutes": minutes}
            | columns
        ),
    )


def more_devices(business: Any, number: int, floor: Any) -> list[Device]:
    """Further speakers on a floor."""
    with system_scope("test data"):
        return [
            Device.objects.create(
                client=business.client,
                floor=floor,
                name=f"More {serial}",
                device_id=f"more-{serial}",
            )
            for serial in (next(_serial) for _ in range(number))
        ]


def ledger_rows(**which: Any) -> list[tuple[str, int, str, str]]:
    """The scheduled events: instant (UTC, `12:00:30`), device, status, reason, in order."""
    with system_scope("the test looks at the ledger"):
        rows = PlayEvent.objects.filter(event_type="scheduled", **which).order_by("play_at", "device_id")
        return [(f"{row.play_at:%H:%M:%S}", row.device_id or 0, row.status, row.reason) for row in rows]


def fresh(schedule: Schedule) -> Schedule:
    """The row as it is now."""
    with system_scope("the test looks at the row"):
        return Schedule.objects.get(pk=schedule.pk)
