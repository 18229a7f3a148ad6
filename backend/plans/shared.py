"""What all speakers of a place have in common in their plans: the programme, the schedules' occurrences, the silences.

It is a function of the rows that `plans.basis` has the version of, and of the hour.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from announcements.models import Announcement
from announcements.selectors import MEDIA_KIND
from clients.models import Client
from common import clock
from devices.models import Device
from devices.plan import Asset, Occurrence, Segment, Silence
from plans.programme import asset_of, programme_of
from playlists.content import Sound
from schedules.models import Schedule
from schedules.plays import play_of
from schedules.selectors import Place, audience_of, heard_on, stops_of
from zones.domain import load_zone, quiet_hours, quiet_spans, stop_spans


class Words(Struct, frozen=True):
    """An announcement as an occurrence tells of it."""

    announcement_id: int
    asset: Asset
    title: str
    lead_in_ms: int


class Shared(Struct, frozen=True):
    """The common part of the plans of a place.

    `occurrences` are those of all schedules heard there, in order of start, due or expired, without what is each
    speaker's own: `event_id` is empty and `volume` 0. `words` are what they say, by the announcement's key.
    """

    assets: list[Asset]
    segments: list[Segment]
    silences: list[Silence]
    occurrences: list[Occurrence]
    words: dict[int, Words]


def shared_of(device: Device, start: datetime, end: datetime) -> Shared:
    """What `device` (with its floor and client) has in common with those that hang beside it, in [start, end).

    A constant number of queries. Needs a scope that sees its business.
    """
    first, last = clock.to_us(start), clock.to_us(end)
    programme = None if device.floor_id is None else programme_of(device.floor_id, first, last, now=start)
    occurrences, words = _scheduled(device, start, end)
    return Shared(
        assets=programme.assets if programme else [],
        segments=programme.segments if programme else [],
        silences=_silences(device, start, end),
        occurrences=occurrences,
        words=words,
    )


def words_of(row: dict[str, Any], start: datetime) -> Words:
    """An announcement with the columns WORDS, its link that of the hour of `start`."""
    asset = asset_of(MEDIA_KIND, Sound(row["pk"], row["sha256"]), row, start)
    return Words(row["pk"], asset, row["title"], row["lead_in_ms"])


WORDS = ("pk", "sha256", "file_size", "mime_type", "duration_ms", "lead_in_ms", "gain_db", "title")


def _scheduled(device: Device, start: datetime, end: datetime) -> tuple[list[Occurrence], dict[int, Words]]:
    """What is due of the schedules, and what it says; one whose announcement has no sound is left out."""
    there = heard_on(floors=[device.floor_id]) if device.floor_id else heard_on(devices=[device.pk])
    schedules: list[Schedule] = list(there.filter(enabled=True).order_by("pk"))
    for schedule in schedules:
        schedule.client = device.client
    place = Place.of(device)
    audience = audience_of(schedules, now=start, at=place)
    if place not in audience.devices:
        return [], {}
    window = clock.to_us(start), clock.to_us(end)
    due = [
        each
        for each in audience.occurrences(place, {schedule.pk: window for schedule in schedules})
        if each.due and each.announcement_id is not None
    ]
    wanted = {int(each.announcement_id or 0) for each in due}
    rows = Announcement.objects.filter(pk__among=wanted).exclude(audio_file="").order_by().values(*WORDS)
    words = {row["pk"]: words_of(row, start) for row in rows}
    told = [
        _occurrence(int(each.schedule_id), play_of(each, place, device.client_id, []), words)
        for each in due
        if int(each.announcement_id or 0) in words
    ]
    return sorted(told, key=lambda each: (each.play_at, each.schedule_id)), words


def _occurrence(schedule_pk: int, play: Any, words: dict[int, Words]) -> Occurrence:
    said = words[play.announcement_pk]
    return Occurrence(
        event_id="",
        announcement_id=play.announcement_pk,
        sha256=said.asset.sha256,
        play_at=play.play_at,
        expires_at=play.expires_at,
        volume=0,
        priority=play.priority,
        duck_db=play.duck_db,
        late=play.late,
        lead_in_ms=said.lead_in_ms,
        schedule_id=schedule_pk,
        title=said.title,
    )


# --- silences --------------------------------------------------------------------------------------------


def _silences(device: Device, start: datetime, end: datetime) -> list[Silence]:
    """When the device's place is silent in the plan's window."""
    window = clock.to_us(start), clock.to_us(end)
    locked_from = _locked_from(device.client, start, end)
    if locked_from is not None:
        locked = [Silence(start_at=locked_from, end_at=window[1], reason="client_locked")]
        return locked if locked_from == window[0] else [*_of_floor(device, *window), *locked]
    return _of_floor(device, *window)


def _locked_from(client: Client, start: datetime, end: datetime) -> int | None:
    """When within the window the business is locked: from its beginning, or when a trial ends during it."""
    if client.lock(start) is not None:
        return clock.to_us(start)
    ends_at = client.trial_ends_at
    if ends_at is None or ends_at >= end or client.lock(end) is None:
        return None
    return clock.to_us(ends_at)


def _of_floor(device: Device, start: int, end: int) -> list[Silence]:
    """Quiet hours, then stops; they may overlap."""
    if device.floor is None:
        return []
    stops = stops_of([device.floor.pk]).get(device.floor.pk, [])
    hours = quiet_hours(device.floor.quiet_hours_start, device.floor.quiet_hours_end)
    zone = load_zone(device.floor.zone)
    quiet = [
        Silence(start_at=span.start, end_at=span.end, reason="quiet_hours")
        for span in quiet_spans(hours, zone, start, end)
    ]
    stopped = [
        Silence(start_at=span.start, end_at=span.end, reason="stopped")
        for span in stop_spans(stops, start, end)
    ]
    return [*quiet, *stopped]
