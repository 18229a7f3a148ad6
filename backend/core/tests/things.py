"""One of everything that a business has, and whoever may ask for it: what the walks over all routes stand on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rest_framework.test import APIClient

from ai_config.models import AIProvider
from audit.models import AuditLog
from common import clock
from common.tenancy import system_scope
from conftest import Business
from devices.models import Device, ListeningSpan, Outage
from events.tests.support import make_announcement, make_event
from music.models import MusicFile
from playlists.models import ChannelPlaylist, ChannelPlaylistFloor
from schedules.models import Schedule, ScheduleAnnouncement, ScheduleFloor
from webhooks.domain.signing import fresh_secret
from webhooks.models import Webhook, WebhookDelivery

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Things:
    """What the placeholders stand for, for one floor of one business."""

    values: dict[str, Any]
    secrets: list[str]
    """Texts that nobody outside of this business may ever be sent."""

    def fill(self, template: Any) -> Any:
        """A path or a body with its places filled."""
        if isinstance(template, dict):
            return {name: self.fill(value) for name, value in template.items()}
        if isinstance(template, list):
            return [self.fill(value) for value in template]
        if isinstance(template, str) and template.strip("{}") in self.values:
            return self.values[template.strip("{}")]
        return template.format_map(self.values) if isinstance(template, str) else template


def things_of(business: Business, floor: int, code: str, refresh: str) -> Things:
    """One of everything, on this floor of this business."""
    name = f"Secret {business.client.name} {floor}"
    path = "sounds/one.mp3"
    device = business.devices[floor]
    with system_scope("test data"):
        Device.objects.filter(pk=device.pk).update(last_seen=clock.now(), first_seen=NEW_YEAR, name=name)
        ListeningSpan.objects.get_or_create(started_at=NEW_YEAR, ended_at=NEW_YEAR + timedelta(days=30))
        away = NEW_YEAR + timedelta(days=1)
        Outage.objects.create(device=device, started_at=away, ended_at=away + timedelta(minutes=90))
        words = make_announcement(business, title=name, audio_file=path)
        music = MusicFile.objects.create(
            client=business.client,
            name=name,
            file=path,
            file_size=1,
            duration=1,
            mime_type="audio/mpeg",
            status="ready",
            sha256="0" * 64,
            created_by=business.admin,
        )
        later = clock.now() + timedelta(minutes=5)
        event = make_event(
            business, device=device, announcement=words, now=clock.now(), play_at=later, expires_at=later
        )
        playlist = ChannelPlaylist.objects.create(
            client=business.client, name=name, created_by=business.admin
        )
        ChannelPlaylistFloor.objects.create(playlist=playlist, floor=business.floors[floor])
        schedule = Schedule.objects.create(
            client=business.client,
            name=name,
            schedule_type="interval",
            interval_minutes=60,
            created_by=business.admin,
        )
        ScheduleFloor.objects.create(schedule=schedule, floor=business.floors[floor])
        ScheduleAnnouncement.objects.create(schedule=schedule, announcement=words)
        webhook = Webhook.objects.create(
            client=business.client,
            url="https://127.0.0.1/refused",
            description=name,
            events=["device.offline"],
            secret=fresh_secret(),
        )
        delivery = WebhookDelivery.objects.create(
            webhook=webhook,
            client=business.client,
            message_id="msg_1",
            type="device.offline",
            payload=name,
            created_at=clock.now(),
            status="failed",
        )
    entry = AuditLog.everything.get(resource="schedule", resource_id=str(schedule.pk)).pk
    values = {
        "webhook": webhook.pk,
        "delivery": delivery.pk,
        "client": business.client.pk,
        "floor": business.floors[floor].pk,
        "device": device.pk,
        "user": business.floor_user.pk,
        "announcement": words.pk,
        "music": music.pk,
        "event": str(event.pk),
        "play": str(event.play_id),
        "playlist": playlist.pk,
        "schedule": schedule.pk,
        "provider": AIProvider.objects.create(
            name=name, provider="openai", api_key="k", is_active=False, daily_request_limit=0
        ).pk,
        "entry": entry,
        "code": code,
        "nobody": "nobody",
        "email": business.floor_user.email,
        "refresh": refresh,
    }
    return Things(values, [name, business.admin.email, device.device_id, business.client.email])


def signed_in(token: Any) -> APIClient:
    """A client that shows this token."""
    api = APIClient(raise_request_exception=False)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return api
