"""What tests of plays share: announcements that are ready without sound, and what the devices were sent."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from announcements.models import Announcement
from common.media_fields import Readiness
from common.tenancy import system_scope
from devices.models import Device
from devices.protocol import Ack, PlaybackComplete, PlaybackStarted
from events.domain import ledger
from events.models import PlayEvent

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""A Monday noon."""
_serial = count(1)


def make_announcement(business: Any, **columns: Any) -> Announcement:
    """An announcement of five seconds that is ready to be played."""
    number = next(_serial)
    defaults: dict[str, Any] = {
        "title": f"Words {number}",
        "type": Announcement.Type.TTS,
        "status": Readiness.READY,
        "audio_file": f"announcements/{number}.mp3",
        "mime_type": "audio/mpeg",
        "file_size": 40_000,
        "duration": 5,
        "duration_ms": 5_000,
        "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
        "created_by": business.admin,
    }
    with system_scope("test data"):
        return Announcement.objects.create(client=business.client, **(defaults | columns))


def make_event(
    business: Any, *, device: Device | None = None, now: datetime = NOW, **columns: Any
) -> PlayEvent:
    """A play that was ordered at `now` for a second later, of a new announcement unless one is given."""
    device = device or business.devices[0]
    announcement = columns.pop("announcement", None) or make_announcement(business)
    defaults: dict[str, Any] = {
        "play_id": f"00000000-0000-4000-8000-{next(_serial):012}",
        "announcement_title": announcement.title,
        "device_name": device.name,
        "floor": device.floor,
        "floor_name": device.floor.name if device.floor else "",
        "event_type": PlayEvent.Type.INSTANT,
        "play_at": now + timedelta(seconds=1),
        "expires_at": now + timedelta(seconds=3),
        "late": "join",
        "created_at": now,
        "created_by": business.admin,
    }
    with system_scope("test data"):
        return PlayEvent.objects.create(
            client=business.client, announcement=announcement, device=device, **(defaults | columns)
        )


def online(*devices: Device, now: datetime, **columns: Any) -> None:
    """These devices were heard of at `now`."""
    with system_scope("test data"):
        Device.objects.filter(pk__in=[device.pk for device in devices]).update(
            last_seen=now, **({"round_trip_us": 2_000, "required_lead_ms": 50} | columns)
        )
    for device in devices:
        with system_scope("test data"):
            device.refresh_from_db()


def fresh(event: PlayEvent) -> PlayEvent:
    """The row as it is now."""
    with system_scope("the test looks at the row"):
        return PlayEvent.objects.get(pk=event.pk)


def history(event: PlayEvent) -> list[tuple[str, str, str, bool]]:
    """What became of the event since its birth, oldest first: status, reason, source, whether it is a correction."""
    with system_scope("the test looks at the history"):
        return [
            (change.status, change.reason, change.source, change.correction) for change in event.changes.all()
        ]


def ack(event: PlayEvent, state: Any = "armed", reason: str = "") -> Ack:
    """A device's word that it has the order."""
    return Ack(event_id=str(event.pk), state=state, reason=reason)


def begun(event: PlayEvent, at_us: int) -> PlaybackStarted:
    """A device's word that it sounds."""
    return PlaybackStarted(event_id=str(event.pk), started_at=at_us)


def receipt(event: PlayEvent, **fields: Any) -> PlaybackComplete:
    """A device's receipt."""
    return PlaybackComplete(event_id=str(event.pk), announcement_id=event.announcement_id, **fields)


OPEN_STATES = [ledger.PENDING, ledger.DELIVERED, ledger.PLAYING]
