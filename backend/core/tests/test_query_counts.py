"""A list costs as many queries for thirty rows as for one, and no more than stands here, for each role."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from rest_framework_simplejwt.tokens import RefreshToken

from ai_config.models import AIProvider
from announcements.models import Announcement
from audit.services import record
from clients.models import Client
from common import clock
from common.openapi import ScopedSchemaGenerator
from common.tenancy import system_scope
from conftest import Business
from core.tests.things import signed_in, things_of
from devices.models import Outage
from events.tests.support import make_event
from music.models import MusicFile
from playlists.models import ChannelPlaylist, ChannelPlaylistFloor, ChannelPlaylistItem
from schedules.models import Schedule, ScheduleAnnouncement, ScheduleFloor
from users.models import User
from webhooks.models import Webhook, WebhookDelivery

pytestmark = pytest.mark.django_db

MORE = 30
TEXTS = ("name", "title", "username", "email", "device_id", "url", "business_name", "message_id")

Baseline = tuple[int | None, int | None, int | None]
"""Queries as super admin, client admin and floor user; None: not allowed."""

LISTS: dict[str, Baseline] = {
    "/api/ai-providers/": (3, None, None),
    "/api/announcements/": (3, 3, 3),
    "/api/audit-logs/": (3, 3, None),
    "/api/channel-playlists/": (4, 4, 4),
    "/api/clients/": (3, None, None),
    "/api/devices/": (3, 3, 3),
    "/api/devices/uptime/": (5, 5, 5),
    "/api/devices/{device_id}/outages/": (4, 4, 4),
    "/api/floors/": (3, 3, 3),
    "/api/floors/{floor_id}/devices/": (4, 4, 4),
    "/api/music/": (3, 3, 3),
    "/api/play-events/": (3, 3, 3),
    "/api/schedules/": (7, 7, 7),
    "/api/users/": (3, 3, None),
    "/api/webhooks/": (3, 3, None),
    "/api/webhooks/{webhook_id}/deliveries/": (4, 4, None),
}
"""By path. A number grows only for a reason."""

NEEDED = {"/api/devices/uptime/": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-08T00:00:00Z"}}
"""What a query has to say."""

NO_ROWS = {"/api/announcements/tts/voices/": "voices are no rows of a table"}


def copied(row: Any, number: int, **links: Any) -> Any:
    """A row like this one, its texts made its own, hung on other rows."""
    made = type(row)._base_manager.get(pk=row.pk)
    made.pk = None
    made._state.adding = True
    for field in made._meta.fields:
        if field.name in TEXTS and isinstance(field, models.CharField):
            setattr(made, field.attname, f"{number}{getattr(made, field.attname)}")
        elif field.unique and isinstance(field, models.UUIDField):
            setattr(made, field.attname, field.get_default())
    for name, link in links.items():
        setattr(made, name, link)
    made.save()
    return made


def fill(shop: Business, values: dict[str, Any], number: int) -> None:
    """One more row for every list, with what hangs on it."""
    floor = copied(shop.floors[0], number, is_premium=True)
    person = copied(shop.floor_user, number, floor=floor)
    device = copied(shop.devices[0], number)
    for speaker in (shop.devices[0], device):
        began = clock.now() - timedelta(days=number + 1)
        Outage.objects.create(device=speaker, started_at=began, ended_at=began + timedelta(hours=1))
    words = copied(Announcement.objects.get(pk=values["announcement"]), number, created_by=person)
    track = copied(MusicFile.objects.get(pk=values["music"]), number, created_by=person)
    playlist = copied(ChannelPlaylist.objects.get(pk=values["playlist"]), number, created_by=person)
    for place, hung in ((shop.floors[0], 1), (floor, 2)):
        ChannelPlaylistFloor.objects.create(playlist=playlist, floor=place, priority=hung)
    ChannelPlaylistItem.objects.create(playlist=playlist, music_file=track, item_type="music", order=0)
    schedule = copied(Schedule.objects.get(pk=values["schedule"]), number, created_by=person)
    ScheduleFloor.objects.create(schedule=schedule, floor=shop.floors[0])
    ScheduleFloor.objects.create(schedule=schedule, floor=floor)
    ScheduleAnnouncement.objects.create(schedule=schedule, announcement=words)
    now = clock.now()
    make_event(shop, device=device, announcement=words, now=now, play_at=now, expires_at=now)
    webhook = Webhook.objects.get(pk=values["webhook"])
    copied(webhook, number)
    copied(WebhookDelivery.objects.get(pk=values["delivery"]), number)
    copied(AIProvider.objects.get(pk=values["provider"]), number)
    copied(Client.objects.get(pk=shop.client.pk), number)
    record("play", resource="floor", resource_id=floor.pk, client_id=shop.client.pk)


def counted(token: Any, path: str) -> tuple[int, int]:
    """Queries of the list, and its rows."""
    api = signed_in(token)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = api.get(path, {"page_size": 50} | NEEDED.get(path, {}))
    assert answer.status_code == 200, answer.content
    return len(queries), len(answer.json()["results"])


@pytest.mark.once("embedded")
def test_a_list_costs_the_same_whatever_it_holds(shop: Business, staff: User) -> None:
    values = things_of(shop, 0, "nobody", "").values
    paths = {
        path: path.format(
            id=values["provider"],
            floor_id=values["floor"],
            webhook_id=values["webhook"],
            device_id=values["device"],
        )
        for path in LISTS
    }
    tokens = [RefreshToken.for_user(person).access_token for person in (staff, shop.admin, shop.floor_user)]
    asked = [
        (path, place, token)
        for path, allowed in LISTS.items()
        for place, token in enumerate(tokens)
        if allowed[place] is not None
    ]
    before = {(path, place): counted(token, paths[path]) for path, place, token in asked}
    with system_scope("test data"):
        for number in range(MORE):
            fill(shop, values, number)
    after = {(path, place): counted(token, paths[path]) for path, place, token in asked}
    grown = {key: (before[key], after[key]) for key in before if after[key][0] != before[key][0]}
    assert not grown, "more rows, more queries: select_related, prefetch_related or an annotation is missing"
    rows = {key for key in after if after[key][1] < MORE}
    assert {key for key in rows if key[1] < 2} == set(), "the list was not filled"
    above = {key: count for key, (count, _) in after.items() if count > (LISTS[key[0]][key[1]] or 0)}
    assert not above, "more queries than the baseline"


def test_every_list_has_a_baseline() -> None:
    paged = {
        path
        for path, item in ScopedSchemaGenerator().get_schema(public=True)["paths"].items()
        if {"page_size", "cursor"}
        & {parameter["name"] for parameter in item.get("get", {}).get("parameters", ())}
    }
    assert paged == LISTS.keys() | NO_ROWS.keys()
