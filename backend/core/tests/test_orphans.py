"""What somebody made can still be changed when their account is gone."""

from __future__ import annotations

from typing import Any

import pytest

from announcements.models import Announcement
from common.tenancy import system_scope
from conftest import make_user
from music.models import MusicFile
from playlists.models import ChannelPlaylist
from schedules.models import Schedule
from zones.models import Floor

ROWS: dict[str, tuple[Any, dict[str, Any]]] = {
    "music": (
        MusicFile,
        {"file": "m.mp3", "file_size": 1, "duration": 1, "mime_type": "audio/mpeg", "sha256": "a" * 64},
    ),
    "announcements": (Announcement, {"type": "uploaded", "audio_file": "a.mp3", "sha256": "a" * 64}),
    "channel-playlists": (ChannelPlaylist, {}),
    "schedules": (Schedule, {"schedule_type": "interval", "interval_minutes": 30, "enabled": False}),
    "floors": (Floor, {}),
}


@pytest.mark.parametrize("route", ROWS)
def test_a_row_whose_maker_is_gone(route: str, shop: Any, call: Any) -> None:
    model, columns = ROWS[route]
    maker = make_user("client", shop.client)
    name = "title" if route == "announcements" else "name"
    with system_scope("test data"):
        row = model.objects.create(client=shop.client, created_by=maker, **{name: "Before"}, **columns)
        maker.delete()
    answer = call(shop.admin).patch(f"/api/{route}/{row.pk}/", {name: "After"})
    assert (answer.status_code, answer.json().get(name)) == (200, "After"), answer.json()
