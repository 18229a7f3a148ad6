"""Builds the plan of one device: rows in, `devices.plan.Plan` out.

The window is anchored to the hour, so that everybody who computes it within the hour gets the same bytes, and it
always reaches at least 24 h ahead.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from announcements.models import Announcement
from common import clock
from common.media_urls import media_url
from devices.desired import desired_of
from devices.models import Device
from devices.plan import Asset, Occurrence, Plan, Silence, etag_of
from events.domain import ledger
from events.messages import MEDIA_KIND
from events.models import PlayEvent
from plans.occurrences import SCHEDULED, scheduled_on
from plans.programme import programme_of
from schedules.selectors import stops_of
from zones.domain import load_zone, quiet_hours, quiet_spans, stop_spans

REACH = timedelta(hours=26)
"""From the beginning of the current hour: at least 25 h ahead of whoever asks."""


def plan_of(device: Device, *, now: datetime) -> Plan:
    """The plan of this device (with its floor and client) as of `now`."""
    start = now.replace(minute=0, second=0, microsecond=0)
    end = start + REACH
    events = list(_ordered_events(device, now, end))
    announcements = {event.announcement_id: event.announcement for event in events}
    programme = programme_of(device, clock.to_us(start), clock.to_us(end), now=now)
    scheduled = scheduled_on(device, clock.to_us(start), clock.to_us(end), now=now)
    ordered = [_announcement_asset(item, now) for item in announcements.values() if item is not None]
    assets = (*programme.assets, *scheduled.assets, *ordered)
    occurrences = [*scheduled.occurrences, *(_occurrence(event) for event in events)]
    plan = Plan(
        device_id=device.device_id,
        generated_at=clock.to_us(now),
        valid_from=clock.to_us(start),
        valid_until=clock.to_us(end),
        timezone=_zone(device),
        desired=desired_of(device, now),
        assets=list({asset.sha256: asset for asset in assets}.values()),
        programme=programme.segments,
        occurrences=sorted(occurrences, key=lambda each: (each.play_at, each.event_id)),
        silences=_silences(device, start, end),
    )
    return msgspec.structs.replace(plan, etag=etag_of(plan))


def _zone(device: Device) -> str:
    return device.floor.zone if device.floor else device.client.timezone


def _ordered_events(device: Device, now: datetime, end: datetime) -> Any:
    """What was ordered for this device and has not begun; what rules planned is told with the rules' own."""
    return (
        PlayEvent.objects.filter(
            device=device,
            status__in=[ledger.PENDING, ledger.DELIVERED],
            expires_at__gt=now,
            play_at__lt=end,
            waits_for_device=False,
        )
        .exclude(announcement=None)
        .exclude(priority__in=[ledger.PLAYLIST, *SCHEDULED])
        .select_related("announcement")
        .order_by("play_at", "pk")
    )


def _occurrence(event: PlayEvent) -> Occurrence:
    announcement: Any = event.announcement
    priority: Any = event.priority
    late: Any = event.late
    return Occurrence(
        event_id=str(event.pk),
        announcement_id=announcement.pk,
        sha256=announcement.sha256,
        play_at=clock.to_us(event.play_at),
        expires_at=clock.to_us(event.expires_at),
        volume=event.volume,
        priority=priority,
        duck_db=event.duck_db,
        late=late,
        lead_in_ms=announcement.lead_in_ms,
        title=announcement.title,
        overrides_quiet_hours=event.override_quiet_hours,
    )


def _announcement_asset(announcement: Announcement, now: datetime) -> Asset:
    url, expires_at = media_url(MEDIA_KIND, announcement.pk, announcement.sha256, now=now)
    return Asset(
        sha256=announcement.sha256,
        bytes=announcement.file_size,
        mime=announcement.mime_type,
        duration_ms=announcement.duration_ms,
        gain_db=announcement.gain_db,
        url=url,
        url_expires_at=clock.to_us(expires_at),
    )


def _silences(device: Device, start: datetime, end: datetime) -> list[Silence]:
    """When the device's floor is silent in the plan's window."""
    window = clock.to_us(start), clock.to_us(end)
    locked_from = _locked_from(device, start, end)
    if locked_from is not None:
        locked = [Silence(start_at=locked_from, end_at=window[1], reason="client_locked")]
        return locked if locked_from == window[0] else [*_of_floor(device, *window), *locked]
    return _of_floor(device, *window)


def _locked_from(device: Device, start: datetime, end: datetime) -> int | None:
    """When within the window the business is locked: from its beginning, or when a trial ends during it."""
    if device.client.lock(start) is not None:
        return clock.to_us(start)
    ends_at = device.client.trial_ends_at
    if ends_at is None or ends_at >= end or device.client.lock(end) is None:
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
