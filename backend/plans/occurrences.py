"""The occurrences of schedules as a plan holds them, for one device, and the sounds that they need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from announcements.models import Announcement
from announcements.selectors import MEDIA_KIND
from common import clock
from devices.models import Device
from devices.plan import Asset, Occurrence
from events.domain import ledger
from events.models import PlayEvent
from events.ports import PlannedEvent, PlannedPlay
from plans.programme import asset_of
from playlists.content import Sound
from schedules.plays import fates_of
from schedules.selectors import audience_of, of_device

ORDERED_AHEAD = timedelta(hours=25)
"""No row of the ledger is written longer than this before its instant."""
SCHEDULED = ("timeline", "interval")
"""The priorities of the events that this module tells of."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What a device plays of its schedules, in order of start, and each sound once."""

    occurrences: list[Occurrence]
    assets: list[Asset]


def scheduled_on(device: Device, start_us: int, end_us: int, *, now: datetime) -> Scheduled:
    """What is due on this device in [start_us, end_us), µs UTC, and has not expired.

    The events have the ids of the scheduler's. What it has on the record ahead is told as it stands there: one that
    was taken back or has ended is left out, and one with other words than the rules choose by now keeps its own.
    A constant number of queries.
    """
    schedules = list(of_device(device).filter(enabled=True).select_related("client"))
    audience = audience_of(schedules, now=now)
    windows = {schedule.pk: (start_us, end_us) for schedule in schedules}
    now_us = clock.to_us(now)
    due = [
        (schedule_pk, fate.play, event)
        for schedule_pk, fates in fates_of(audience, windows, only=device).items()
        for fate in fates
        for event in fate.play.events
        if not fate.reason and fate.play.expires_at > now_us
    ]
    recorded = _recorded(device, now, end_us) if due else {}
    told = [
        (schedule_pk, play, event, recorded.get(str(event.event_id), play.announcement_pk))
        for schedule_pk, play, event in due
    ]
    rows = _rows(announcement_pk for *_, announcement_pk in told)
    occurrences = [
        _occurrence(schedule_pk, play, event, rows[announcement_pk])
        for schedule_pk, play, event, announcement_pk in sorted(told, key=_order)
        if announcement_pk in rows
    ]
    needed = dict.fromkeys(each.announcement_id for each in occurrences)
    return Scheduled(
        occurrences, [asset_of(MEDIA_KIND, Sound(pk, rows[pk]["sha256"]), rows[pk], now) for pk in needed]
    )


def _order(told: tuple[int, PlannedPlay, PlannedEvent, int | None]) -> tuple[int, str]:
    return told[1].play_at, str(told[2].event_id)


def _recorded(device: Device, now: datetime, end_us: int) -> dict[str, int | None]:
    """The announcements of the events that are on the record ahead; None where nothing is to be played any more."""
    rows = PlayEvent.objects.filter(
        device=device,
        priority__in=SCHEDULED,
        expires_at__gt=now,
        play_at__lt=clock.from_us(end_us),
        created_at__gte=now - ORDERED_AHEAD,  # says nothing new, and spares the device's past
    )
    return {
        str(pk): announcement_pk if status in {ledger.PENDING, ledger.DELIVERED} else None
        for pk, status, announcement_pk in rows.values_list("pk", "status", "announcement_id")
    }


def _rows(pks: Iterable[int | None]) -> dict[int | None, dict[str, Any]]:
    wanted = {pk for pk in pks if pk is not None}
    columns = ("pk", "sha256", "file_size", "mime_type", "duration_ms", "lead_in_ms", "gain_db", "title")
    rows = Announcement.objects.filter(pk__in=wanted).exclude(audio_file="").values(*columns)
    return {row["pk"]: row for row in rows}


def _occurrence(schedule_pk: int, play: PlannedPlay, event: PlannedEvent, row: dict[str, Any]) -> Occurrence:
    priority: Any = play.priority
    late: Any = play.late
    return Occurrence(
        event_id=str(event.event_id),
        announcement_id=row["pk"],
        sha256=row["sha256"],
        play_at=play.play_at,
        expires_at=play.expires_at,
        volume=event.volume,
        priority=priority,
        duck_db=play.duck_db,
        late=late,
        lead_in_ms=row["lead_in_ms"],
        schedule_id=schedule_pk,
        title=row["title"],
    )
