"""Changes of channel playlists. Keyword-only, atomic; the programmes follow at the tick's next turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from django.db import transaction

from announcements.models import Announcement
from audit.services import record
from clients.models import Client
from common.media_fields import Readiness
from common.validators import field_error
from music.models import MusicFile
from playlists.models import ChannelPlaylist, ChannelPlaylistFloor, ChannelPlaylistItem, FloorProgramme
from playlists.renewal import changed
from users.models import User
from zones.models import Floor

MOST_ITEMS = 1000
"""Of one playlist: two to three days of music."""
RESOURCE = "channel_playlist"
Type = ChannelPlaylistItem.Type


@dataclass(frozen=True, slots=True)
class Entry:
    """One wanted item: a track or an announcement, and its interval in minutes (None: the playlist's default)."""

    sound: MusicFile | Announcement
    interval_minutes: int | None = None

    @property
    def item_type(self) -> str:
        """What it is."""
        return Type.MUSIC if isinstance(self.sound, MusicFile) else Type.ANNOUNCEMENT

    @property
    def key(self) -> tuple[str, int]:
        """What it is and which; a playlist has it once."""
        return self.item_type, self.sound.pk


@dataclass(frozen=True, slots=True)
class Assignment:
    """One wanted floor, and the playlist's priority there."""

    floor: Floor
    priority: int = 0


@transaction.atomic
def create_playlist(
    *, client: Client, by: User, items: Sequence[Entry] = (), **fields: Any
) -> ChannelPlaylist:
    """A playlist of this business, on no floor yet. Without items it is silent.

    `fields` are the other columns that a person may set. Raises `ValidationError` for quiet hours that contradict
    each other and for items that cannot be.
    """
    playlist = ChannelPlaylist(client=client, created_by=by, **fields)
    _save(playlist)
    _replace_items(playlist, items)
    return playlist


@transaction.atomic
def update_playlist(
    *, playlist: ChannelPlaylist, items: Sequence[Entry] | None = None, **changes: Any
) -> ChannelPlaylist:
    """Changes what a person may set, and with `items` the whole list; raises as `create_playlist` does.

    What stays in the list keeps its id, and with it its place in the programme.
    """
    for field, value in changes.items():
        setattr(playlist, field, value)
    _save(playlist)
    if items is not None:
        _replace_items(playlist, items)
    _changed(playlist)
    return playlist


@transaction.atomic
def delete_playlist(*, playlist: ChannelPlaylist) -> None:
    """Removes a playlist. Its floors play what else is assigned to them, from the next boundary on."""
    _changed(playlist)
    playlist.delete()


@transaction.atomic
def reorder_items(*, playlist: ChannelPlaylist, item_ids: Sequence[int]) -> None:
    """Puts the items into this order; raises `ValidationError` unless it names each of them once."""
    rows = {
        item.pk: item for item in ChannelPlaylistItem.objects.select_for_update().filter(playlist=playlist)
    }
    if sorted(item_ids) != sorted(rows):
        raise field_error(
            "items",
            "not_the_items",
            f"Name each of the playlist's {len(rows)} items once; it may have changed meanwhile.",
        )
    before = list(playlist.items.values_list("pk", flat=True))
    for place, pk in enumerate(item_ids):
        rows[pk].order = place
    ChannelPlaylistItem.objects.bulk_update(rows.values(), ["order"], batch_size=500)
    if before != list(item_ids):
        _record(playlist, "reorder", {"before": before, "after": list(item_ids)})
        _touch(playlist)
        _changed(playlist)


@transaction.atomic
def assign_floors(*, playlist: ChannelPlaylist, assignments: Sequence[Assignment]) -> None:
    """Makes these the floors of the playlist, each with its priority; others lose it.

    Raises `ValidationError` for a floor that is named twice.
    """
    wanted = {one.floor.pk: one.priority for one in assignments}
    if len(wanted) < len(assignments):
        raise field_error("floors", "duplicate", "A floor is named twice.")
    there = {
        row.floor_id: row
        for row in ChannelPlaylistFloor.objects.select_for_update().filter(playlist=playlist)
    }
    before = {floor: row.priority for floor, row in there.items()}
    if before == wanted:
        return
    ChannelPlaylistFloor.objects.filter(playlist=playlist).exclude(floor_id__in=wanted).delete()
    ChannelPlaylistFloor.objects.bulk_create(
        [ChannelPlaylistFloor(playlist=playlist, floor_id=pk, priority=wanted[pk]) for pk in wanted],
        update_conflicts=True,
        unique_fields=["playlist", "floor"],
        update_fields=["priority"],
    )
    FloorProgramme.objects.bulk_create([FloorProgramme(floor_id=pk) for pk in wanted], ignore_conflicts=True)
    _record(playlist, "assign_floors", {"before": before, "after": wanted})
    changed(floors={*before, *wanted})


# --- parts -----------------------------------------------------------------------------------------------


def _save(playlist: ChannelPlaylist) -> None:
    _quiet_hours_fit(playlist.quiet_hours_start, playlist.quiet_hours_end)
    playlist.full_clean(exclude={"created_by"}, validate_unique=False, validate_constraints=False)
    playlist.save()


def _quiet_hours_fit(start: time | None, end: time | None) -> None:
    if (start is None) != (end is None):
        missing = "quiet_hours_start" if start is None else "quiet_hours_end"
        raise field_error(missing, "quiet_hours", "Quiet hours need both a start and an end, or neither.")
    if start is not None and start == end:
        raise field_error(
            "quiet_hours_end",
            "quiet_hours",
            "Quiet hours that start and end at the same time are neither all day nor never.",
        )


def _replace_items(playlist: ChannelPlaylist, entries: Sequence[Entry]) -> None:
    there = {_key(item): item for item in ChannelPlaylistItem.objects.filter(playlist=playlist)}
    _entries_fit(entries, there)
    before = _listed(there.values())
    wanted = [
        there.get(entry.key)
        or ChannelPlaylistItem(
            playlist=playlist,
            item_type=entry.item_type,
            **{"music_file" if entry.item_type == Type.MUSIC else "announcement": entry.sound},
        )
        for entry in entries
    ]
    for place, (item, entry) in enumerate(zip(wanted, entries, strict=True)):
        item.order, item.interval_minutes = place, entry.interval_minutes
    kept = {item.pk for item in wanted if item.pk is not None}
    ChannelPlaylistItem.objects.filter(playlist=playlist).exclude(pk__in=kept).delete()
    ChannelPlaylistItem.objects.bulk_update(
        [item for item in wanted if item.pk is not None], ["order", "interval_minutes"], batch_size=500
    )
    ChannelPlaylistItem.objects.bulk_create([item for item in wanted if item.pk is None], batch_size=500)
    after = _listed(wanted)
    if after != before:
        _record(playlist, "set_items", {"before": before, "after": after})


def _entries_fit(entries: Sequence[Entry], there: Mapping[tuple[str, int], ChannelPlaylistItem]) -> None:
    """Raises `ValidationError` about the first entry that cannot be."""
    if len(entries) > MOST_ITEMS:
        raise field_error("items", "too_many", f"A playlist holds at most {MOST_ITEMS} items.")
    seen: set[tuple[str, int]] = set()
    for place, entry in enumerate(entries):
        if entry.key in seen:
            raise field_error(f"items.{place}", "duplicate", f"“{entry.sound}” is in the list already.")
        seen.add(entry.key)
        if entry.sound.status == Readiness.FAILED and entry.key not in there and not _has_sound(entry.sound):
            why = entry.sound.failure_detail or "its preparation failed"
            raise field_error(f"items.{place}", "not_ready", f"“{entry.sound}” cannot be played: {why}")


def _has_sound(sound: MusicFile | Announcement) -> bool:
    return isinstance(sound, Announcement) and sound.playable


def _key(item: ChannelPlaylistItem) -> tuple[str, int]:
    return item.item_type, item.music_file_id or item.announcement_id or 0


def _listed(items: Iterable[ChannelPlaylistItem]) -> list[list[Any]]:
    """The list as the audit trail holds it: kind, row and interval of each item, in order."""
    return [[*_key(item), item.interval_minutes] for item in sorted(items, key=lambda item: item.order)]


def _touch(playlist: ChannelPlaylist) -> None:
    playlist.save(update_fields=["updated_at"])


def _changed(playlist: ChannelPlaylist) -> None:
    """The programmes of its floors follow."""
    floors = ChannelPlaylistFloor.objects.filter(playlist=playlist).order_by()
    changed(floors=list(floors.values_list("floor_id", flat=True)))


def _record(playlist: ChannelPlaylist, action: str, details: dict[str, Any]) -> None:
    record(action, resource=RESOURCE, resource_id=playlist.pk, client_id=playlist.client_id, details=details)
