"""A row of every model that is in the admin, each of a business of its own, with secrets in it that must not show."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ai_config.models import AIProvider
from audit.services import record
from common import clock
from common.tenancy import system_scope
from conftest import Business, make_business
from devices.models import DevicePairing, Outage
from events.models import PlayEventChange
from events.tests.support import make_announcement, make_event
from music.models import MusicFile
from playlists.models import (
    ChannelPlaylist,
    ChannelPlaylistFloor,
    ChannelPlaylistItem,
    MusicPlay,
    ProgrammeRevision,
)
from schedules.models import (
    FloorStop,
    Schedule,
    ScheduleAnnouncement,
    ScheduleDevice,
    ScheduleException,
    ScheduleFloor,
)
from users.models import OutgoingMail
from webhooks.models import Webhook, WebhookDelivery

SECRET = "5ecre7"
"""Part of every secret value below."""


def secret() -> str:
    """64 characters, as a hash has, that no page may hold."""
    return f"{SECRET}{uuid.uuid4().hex}{uuid.uuid4().hex}"[:64]


def music(shop: Business, **columns: Any) -> MusicFile:
    """A track that is ready."""
    defaults: dict[str, Any] = {
        "name": "A track",
        "file": f"music/{uuid.uuid4()}.mp3",
        "file_size": 1_000_000,
        "duration": 180,
        "duration_ms": 180_000,
        "mime_type": "audio/mpeg",
        "sha256": uuid.uuid4().hex * 2,
        "status": "ready",
        "created_by": shop.admin,
    }
    return MusicFile.objects.create(client=shop.client, **(defaults | columns))


def device(shop: Business, now: datetime) -> Any:
    """A speaker with tokens."""
    row = shop.devices[0]
    row.token_hash, row.next_token_hash, row.last_seen = secret(), secret(), now
    row.save()
    return row


def pairing(shop: Business, now: datetime) -> Any:
    """A speaker that was claimed."""
    return DevicePairing.objects.create(
        device_code_hash=secret(),
        user_code=uuid.uuid4().hex[:8],
        hardware_id="hw-new",
        created_at=now,
        expires_at=now + timedelta(minutes=10),
        device=shop.devices[0],
    )


def playlist(shop: Business, now: datetime) -> Any:
    """A playlist with one item of each kind, on a floor."""
    row = ChannelPlaylist.objects.create(client=shop.client, name="All day", created_by=shop.admin)
    ChannelPlaylistFloor.objects.create(playlist=row, floor=shop.floors[0])
    ChannelPlaylistItem.objects.create(playlist=row, item_type="music", music_file=music(shop))
    ChannelPlaylistItem.objects.create(
        playlist=row, item_type="announcement", announcement=make_announcement(shop), order=1
    )
    return row


def revision(shop: Business, now: datetime) -> Any:
    """What a floor's programme was made of."""
    return ProgrammeRevision.objects.create(
        floor=shop.floors[0], effective_at=now, content="{}", created_at=now
    )


def music_play(shop: Business, now: datetime) -> Any:
    """A line of the licence log."""
    return MusicPlay.objects.create(
        client=shop.client,
        device=shop.devices[0],
        device_name="Speaker",
        floor=shop.floors[0],
        floor_name="Ground",
        music_file=music(shop),
        title="A track",
        segment="1",
        started_at=now,
        heard_until=now,
    )


def schedule(shop: Business, now: datetime) -> Any:
    """A schedule with all its parts."""
    row = Schedule.objects.create(
        client=shop.client,
        name="Hourly",
        schedule_type="interval",
        interval_minutes=60,
        active_days=[1, 2],
        created_by=shop.admin,
    )
    ScheduleAnnouncement.objects.create(schedule=row, announcement=make_announcement(shop))
    ScheduleFloor.objects.create(schedule=row, floor=shop.floors[0])
    ScheduleDevice.objects.create(schedule=row, device=shop.devices[0])
    ScheduleException.objects.create(schedule=row, first_date=now.date(), last_date=now.date())
    return row


def stop(shop: Business, now: datetime) -> Any:
    """A floor that is silent."""
    return FloorStop.objects.create(floor=shop.floors[0], starts_at=now, created_by=shop.admin)


def play(shop: Business, now: datetime) -> Any:
    """A play with a change."""
    row = make_event(shop, now=now)
    PlayEventChange.objects.create(event=row, at=now, status="pending", source="server")
    return row


def provider(shop: Business, now: datetime) -> Any:
    """An account at a provider."""
    return AIProvider.objects.create(name="Voices", provider="elevenlabs", api_key=secret())


def entry(shop: Business, now: datetime) -> Any:
    """An entry of the audit trail."""
    return record("control", resource="device", resource_id=1, client_id=shop.client.pk, details={"a": 1})


def mail(shop: Business, now: datetime) -> Any:
    """An invitation that waits."""
    kind = OutgoingMail._meta.get_field("kind").flatchoices[0][0]
    return OutgoingMail.objects.create(kind=kind, address="new@example.com", asked_at=now, due_at=now)


def webhook(shop: Business, now: datetime) -> Webhook:
    """One that was switched off, in the days of two secrets."""
    return Webhook.objects.create(
        client=shop.client,
        url="https://example.com/hook",
        events=["device.offline"],
        secret=secret(),
        old_secret=secret(),
        old_secret_until=now,
        is_active=False,
        switched_off="failing",
        switched_off_at=now,
    )


def delivery(shop: Business, now: datetime) -> WebhookDelivery:
    """One that has failed."""
    owner = webhook(shop, now)
    return WebhookDelivery.objects.create(
        webhook=owner,
        client=shop.client,
        message_id=f"msg_{owner.pk}",
        type="device.offline",
        payload="{}",
        created_at=now,
        status="failed",
        error_code="timeout",
    )


Maker = Callable[[Business, datetime], Any]

MAKERS: dict[str, Maker] = {
    "ai_config.AIProvider": provider,
    "announcements.Announcement": lambda shop, now: make_announcement(shop),
    "audit.AuditLog": entry,
    "clients.Client": lambda shop, now: shop.client,
    "devices.Device": device,
    "devices.DevicePairing": pairing,
    "devices.Outage": lambda shop, now: Outage.objects.create(device=shop.devices[0], started_at=now),
    "events.PlayEvent": play,
    "music.MusicFile": lambda shop, now: music(shop),
    "playlists.ChannelPlaylist": playlist,
    "playlists.MusicPlay": music_play,
    "playlists.ProgrammeRevision": revision,
    "schedules.FloorStop": stop,
    "schedules.Schedule": schedule,
    "users.OutgoingMail": mail,
    "users.User": lambda shop, now: shop.floor_user,
    "webhooks.Webhook": webhook,
    "webhooks.WebhookDelivery": delivery,
    "zones.Floor": lambda shop, now: shop.floors[0],
}
"""A new model in the admin gets its line here: a row of a business, made at an instant."""


def make_row(label: str) -> Any:
    """A row of this model, of a new business."""
    shop = make_business()
    with system_scope("test data"):
        return MAKERS[label](shop, clock.now())
