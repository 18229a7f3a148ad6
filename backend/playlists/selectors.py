"""Reads about playlists, and a floor's rows as the engine's values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, F, IntegerField, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from common import clock
from common.media_fields import Readiness
from common.preparation import UNFINISHED
from playlists.content import Content, Revision, Sound, asset_of, joined
from playlists.domain import AnnouncementItem, MusicItem, Playlist, Segment
from playlists.models import (
    ChannelPlaylist,
    ChannelPlaylistFloor,
    ChannelPlaylistItem,
    ProgrammeRevision,
)
from zones.domain import quiet_hours
from zones.domain.wallclock import HOUR_US, MINUTE_US
from zones.models import Floor

REACH_US = 26 * HOUR_US
"""A programme is computed from a full hour for this long, as plans are, so that all who ask share one result."""
Music = ChannelPlaylistItem.Type.MUSIC


# --- lists -----------------------------------------------------------------------------------------------


def with_totals(playlists: QuerySet[ChannelPlaylist]) -> QuerySet[ChannelPlaylist]:
    """Each playlist with `items_count`, `music_count`, `announcement_count` and `music_ms`, in the same query."""
    number, length = Count("pk"), Sum("music_file__duration_ms")
    return playlists.annotate(
        items_count=_of_items(number),
        music_count=_of_items(number, item_type="music"),
        announcement_count=_of_items(number, item_type="announcement"),
        music_ms=_of_items(length, item_type="music"),
    )


def _of_items(aggregate: Any, **only: str) -> Coalesce:
    """The aggregate over the items of the outer query's playlist; 0 without any."""
    # The base manager: the playlists of the outer query are in the caller's scope, and items are seen with them.
    items = ChannelPlaylistItem._base_manager.filter(playlist=OuterRef("pk"), **only).order_by()
    per_playlist = items.values("playlist").annotate(value=aggregate).values("value")
    return Coalesce(Subquery(per_playlist, output_field=IntegerField()), 0)


def with_floors(playlists: QuerySet[ChannelPlaylist]) -> QuerySet[ChannelPlaylist]:
    """Each playlist with the assignments that the caller may see, and their floors."""
    seen = ChannelPlaylistFloor.objects.select_related("floor").order_by("floor__name", "floor_id")
    return playlists.prefetch_related(Prefetch("assignments", queryset=seen))


def with_items(playlists: QuerySet[ChannelPlaylist]) -> QuerySet[ChannelPlaylist]:
    """Each playlist with its items in order, and their sounds."""
    items = ChannelPlaylistItem.objects.select_related("music_file", "announcement")
    return playlists.prefetch_related(Prefetch("items", queryset=items))


# --- the engine's values ---------------------------------------------------------------------------------


class Rows:
    """What a floor's programme is made of now."""

    def __init__(self, content: Content, *, waits: bool) -> None:
        self.content = content
        self.waits = waits
        """Whether a sound is still being prepared, so that it will belong to the programme soon."""


def rows_of(floor: Floor) -> Rows:
    """The playlists assigned to `floor` (which comes with its client), with what can be played of them.

    A track that is not ready is left out, and so is an announcement that has no sound yet or is switched off; one
    that is not valid always stays in, for the engine to judge at its instant.
    Three queries, whatever their number.
    """
    assignments = list(
        ChannelPlaylistFloor.objects.filter(floor=floor).select_related("playlist").order_by("playlist_id")
    )
    music: dict[int, list[MusicItem]] = {}
    spoken: dict[int, list[AnnouncementItem]] = {}
    waits = False
    items = ChannelPlaylistItem.objects.filter(playlist__in=[one.playlist_id for one in assignments])
    tracks = items.filter(item_type=Music).annotate(
        sound=F("music_file_id"),
        sound_status=F("music_file__status"),
        sha256=F("music_file__sha256"),
        duration_ms=F("music_file__duration_ms"),
    )
    for track in tracks.values(*_VALUES):
        if track["sound_status"] == Readiness.READY and track["duration_ms"]:
            music.setdefault(track["playlist_id"], []).append(MusicItem(**_engine_values(track)))
        waits = waits or track["sound_status"] in UNFINISHED
    words = items.exclude(item_type=Music).annotate(
        sound=F("announcement_id"),
        sound_status=F("announcement__status"),
        sha256=F("announcement__sha256"),
        duration_ms=F("announcement__duration_ms"),
    )
    playable = Q(announcement__enabled=True) & ~Q(announcement__audio_file="")
    valid = ("announcement__valid_from", "announcement__valid_until")
    for word in words.filter(playable, announcement__audio_file__isnull=False).values(*_VALUES, *valid):
        if word["duration_ms"]:
            since, until = (None if word[name] is None else clock.to_us(word[name]) for name in valid)
            item = AnnouncementItem(**_engine_values(word), valid_from=since, valid_until=until)
            spoken.setdefault(word["playlist_id"], []).append(item)
    content = Content(
        zone=floor.zone,
        quiet=quiet_hours(floor.quiet_hours_start, floor.quiet_hours_end),
        playlists=tuple(
            _playlist(one, music.get(one.playlist_id, []), spoken.get(one.playlist_id, []))
            for one in assignments
        ),
    )
    return Rows(content, waits=waits)


_VALUES = ("pk", "playlist_id", "interval_minutes", "order", "sound", "sound_status", "sha256", "duration_ms")


def _engine_values(item: dict[str, Any]) -> dict[str, Any]:
    minutes = item["interval_minutes"]
    return {
        "id": str(item["pk"]),
        "asset": asset_of(Sound(item["sound"], item["sha256"])),
        "duration_us": item["duration_ms"] * 1000,
        "interval_us": None if minutes is None else minutes * MINUTE_US,
        "order": item["order"],
    }


def _playlist(
    assignment: ChannelPlaylistFloor, music: Iterable[MusicItem], spoken: Iterable[AnnouncementItem]
) -> Playlist:
    row = assignment.playlist
    return Playlist(
        id=str(row.pk),
        music=tuple(sorted(music, key=_by_order)),
        announcements=tuple(sorted(spoken, key=_by_order)),
        shuffle_music=row.shuffle_music,
        shuffle_announcements=row.shuffle_announcements,
        default_music_interval_us=row.default_music_interval * MINUTE_US,
        default_announcement_interval_us=row.default_announcement_interval * MINUTE_US,
        quiet=quiet_hours(row.quiet_hours_start, row.quiet_hours_end),
        enabled=row.enabled,
        priority=assignment.priority,
    )


def _by_order(item: MusicItem | AnnouncementItem) -> tuple[int, int]:
    return item.order, int(item.id)


# --- the programme ---------------------------------------------------------------------------------------


def revisions_of(floor_pk: int, since_us: int) -> list[Revision]:
    """What the floor's programme is made of from `since_us` on, in the order in which it was changed."""
    rows = ProgrammeRevision.objects.filter(floor_id=floor_pk)
    in_force = rows.filter(effective_at__lte=clock.from_us(since_us)).order_by("-pk").values("pk")[:1]
    wanted = rows.filter(pk__gte=Coalesce(Subquery(in_force), 0)).order_by("pk")
    return [
        Revision(clock.to_us(effective_at), content)
        for effective_at, content in wanted.values_list("effective_at", "content")
    ]


def segments_of(floor_pk: int, start_us: int, end_us: int) -> tuple[Segment, ...]:
    """The floor's programme: the segments that sound in [start_us, end_us), whole, in order of their start."""
    first = start_us - start_us % HOUR_US
    reach = max(REACH_US, end_us - first)
    return tuple(
        segment
        for segment in joined(floor_pk, revisions_of(floor_pk, first), first, first + reach)
        if segment.start < end_us and start_us < segment.end
    )
