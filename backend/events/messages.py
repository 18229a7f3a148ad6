"""A play event as the order that its device gets."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from announcements.models import Announcement
from common import clock
from common.media_urls import media_url
from devices.protocol import PlayAnnouncement
from events.models import PlayEvent
from events.ports import PlannedPlay

MEDIA_KIND = "announcement"


class Sound(NamedTuple):
    """The columns of an announcement that an order needs."""

    pk: int
    sha256: str
    file_size: int
    mime_type: str
    duration_ms: int
    gain_db: float
    lead_in_ms: int
    title: str


def sounds_of(pks: Collection[int]) -> dict[int, Sound]:
    """The sounds of these announcements that are still there."""
    rows = Announcement.objects.filter(pk__among=pks).order_by().values_list(*Sound._fields)
    return {row[0]: Sound(*row) for row in rows}


def order_of(event: PlayEvent, announcement: Announcement, *, now: datetime) -> PlayAnnouncement:
    """The `play_announcement` of this event, with a fresh link to the audio."""
    late: Any = event.late
    priority: Any = event.priority
    return PlayAnnouncement(
        **sound_fields(announcement, now),
        volume=event.volume,
        event_id=str(event.pk),
        play_at=clock.to_us(event.play_at),
        expires_at=clock.to_us(event.expires_at),
        priority=priority,
        duck_db=event.duck_db,
        late=late,
        overrides_quiet_hours=event.override_quiet_hours,
    )


def order_of_planned(play: PlannedPlay, sound: Sound, *, now: datetime) -> PlayAnnouncement:
    """The same of a play that a rule planned, whose events need not be read for it; it is addressed to the first."""
    late: Any = play.late
    priority: Any = play.priority
    return PlayAnnouncement(
        **sound_fields(sound, now),
        volume=play.events[0].volume,
        event_id=str(play.events[0].event_id),
        play_at=play.play_at,
        expires_at=play.expires_at,
        priority=priority,
        duck_db=play.duck_db,
        late=late,
    )


def sound_fields(sound: Announcement | Sound, now: datetime) -> dict[str, Any]:
    """What an order says of its sound, with a fresh link to it."""
    url, _ = media_url(MEDIA_KIND, sound.pk, sound.sha256, now=now)
    return {
        "announcement_id": sound.pk,
        "audio_url": url,
        "sha256": sound.sha256,
        "bytes": sound.file_size,
        "mime": sound.mime_type,
        "duration_ms": sound.duration_ms,
        "gain_db": sound.gain_db,
        "lead_in_ms": sound.lead_in_ms,
        "title": sound.title,
    }
