"""A play event as the order that its device gets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from announcements.models import Announcement
from common import clock
from common.media_urls import media_url
from devices.protocol import PlayAnnouncement
from events.models import PlayEvent
from events.ports import PlannedPlay

MEDIA_KIND = "announcement"
SOUND = ("sha256", "file_size", "mime_type", "duration_ms", "gain_db", "lead_in_ms")
"""The columns of an announcement that an order needs."""


def order_of(event: PlayEvent, announcement: Announcement, *, now: datetime) -> PlayAnnouncement:
    """The `play_announcement` of this event, with a fresh link to the audio."""
    late: Any = event.late
    priority: Any = event.priority
    return PlayAnnouncement(
        **_sound(announcement, now),
        volume=event.volume,
        event_id=str(event.pk),
        play_at=clock.to_us(event.play_at),
        expires_at=clock.to_us(event.expires_at),
        priority=priority,
        duck_db=event.duck_db,
        late=late,
        overrides_quiet_hours=event.override_quiet_hours,
    )


def order_of_planned(play: PlannedPlay, announcement: Announcement, *, now: datetime) -> PlayAnnouncement:
    """The same of a play that a rule planned, whose event need not be read for it."""
    late: Any = play.late
    priority: Any = play.priority
    return PlayAnnouncement(
        **_sound(announcement, now),
        volume=play.volume,
        event_id=str(play.event_id),
        play_at=play.play_at,
        expires_at=play.expires_at,
        priority=priority,
        duck_db=play.duck_db,
        late=late,
    )


def _sound(announcement: Announcement, now: datetime) -> dict[str, Any]:
    url, _ = media_url(MEDIA_KIND, announcement.pk, announcement.sha256, now=now)
    return {
        "announcement_id": announcement.pk,
        "audio_url": url,
        "sha256": announcement.sha256,
        "bytes": announcement.file_size,
        "mime": announcement.mime_type,
        "duration_ms": announcement.duration_ms,
        "gain_db": announcement.gain_db,
        "lead_in_ms": announcement.lead_in_ms,
    }
