"""Which rows dashboards show, and what their changes are called: one table, whatever code it is that writes them.

Statements that write many rows at once send no signals; those tell by themselves, with `live.changes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models.signals import post_delete, post_save

from live.changes import tell
from live.protocol import Topic


def _own(row: Any) -> int:
    return int(row.client_id)


def _of_floor(row: Any) -> int:
    return int(row.floor.client_id)


HEARD: dict[str, tuple[Topic, Callable[[Any], int]]] = {
    "zones.Floor": ("floors", _own),
    "devices.Device": ("devices", _own),
    "music.MusicFile": ("music", _own),
    "announcements.Announcement": ("announcements", _own),
    "playlists.ChannelPlaylist": ("playlists", _own),
    "schedules.Schedule": ("schedules", _own),
    "schedules.FloorStop": ("stops", _of_floor),
}
"""By model: its topic, and whose a row is. A row may move from floor to floor: so no floor is told.

A playlist and a schedule are saved with each change of their parts.
"""


def connect() -> None:
    """Listens to each of HEARD."""
    for model in HEARD:
        for signal in (post_save, post_delete):
            signal.connect(_changed, sender=model, dispatch_uid=f"live-{model}")


def _changed(sender: Any, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    if raw:
        return
    topic, client_of = HEARD[sender._meta.label]
    tell(topic, client=client_of(instance), keys=[instance.pk])
