"""The programme of a floor as a plan holds it: segments, and the sounds that they need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec

from announcements.models import Announcement
from announcements.selectors import MEDIA_KIND as ANNOUNCEMENT
from common import clock
from common.media_urls import media_url
from devices.plan import Asset, Segment
from music.models import MusicFile
from music.selectors import MEDIA_KIND as MUSIC
from playlists import domain
from playlists.content import Sound, segment_id, sound_of
from playlists.domain import Kind, programme_event_id
from playlists.selectors import segments_of

US_PER_MS = 1000
LINKS_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Programme:
    """What a floor plays, in order of start, and each sound once. Its announcements name no device's event."""

    segments: list[Segment]
    assets: list[Asset]


def programme_of(floor_pk: int, start_us: int, end_us: int, *, now: datetime) -> Programme:
    """The programme of a floor that sounds in [start_us, end_us), µs UTC. Three queries at most.

    A segment whose sound was removed or replaced is left out: there is nothing to fetch any more.
    """
    segments, music, spoken = _told(floor_pk, start_us, end_us)
    return Programme(
        segments=segments,
        assets=[
            *(asset_of(MUSIC, sound, row, now) for sound, row in music.items()),
            *(asset_of(ANNOUNCEMENT, sound, row, now) for sound, row in spoken.items()),
        ],
    )


def programme_of_floor(floor_pk: int, start_us: int, end_us: int) -> list[Segment]:
    """The same for people, who fetch no sounds."""
    return _told(floor_pk, start_us, end_us)[0]


def _told(
    floor_pk: int, start_us: int, end_us: int
) -> tuple[list[Segment], dict[Sound, dict[str, Any]], dict[Sound, dict[str, Any]]]:
    """The segments, and the rows of their tracks and of their announcements."""
    planned = segments_of(floor_pk, start_us, end_us)
    music = _rows(MusicFile, _TRACK, (sound_of(s) for s in planned if s.kind is Kind.MUSIC))
    spoken = _rows(Announcement, _WORDS, (sound_of(s) for s in planned if s.kind is Kind.ANNOUNCEMENT))
    rows = {Kind.MUSIC: music, Kind.ANNOUNCEMENT: spoken}
    told = [
        _segment(segment, rows[segment.kind][sound_of(segment)])
        for segment in planned
        if sound_of(segment) in rows[segment.kind]
    ]
    return told, music, spoken


def segments_on(device_pk: int, floor_pk: int, segments: Iterable[Segment]) -> list[Segment]:
    """The programme of its floor for one device: its announcements with the ids of that device's events."""
    return [
        segment if segment.kind == "music" else _named(segment, floor_pk, device_pk) for segment in segments
    ]


def _named(segment: Segment, floor_pk: int, device_pk: int) -> Segment:
    event_id = programme_event_id(str(segment.playlist_id), str(floor_pk), segment.start_at, str(device_pk))
    return msgspec.structs.replace(segment, event_id=str(event_id))


_FACTS = ("pk", "sha256", "file_size", "mime_type", "duration_ms", "gain_db")
_TRACK = (*_FACTS, "name", "artist")
_WORDS = (*_FACTS, "title")


def _rows(
    model: type[MusicFile] | type[Announcement], columns: Sequence[str], sounds: Iterable[Sound]
) -> dict[Sound, dict[str, Any]]:
    """The rows of these sounds, in the order in which they are first heard."""
    wanted = dict.fromkeys(sounds)
    if not wanted:
        return {}
    rows = model.objects.filter(pk__among={sound.pk for sound in wanted}).order_by().values(*columns)
    found = {Sound(row["pk"], row["sha256"]): row for row in rows}
    return {sound: found[sound] for sound in wanted if sound in found}


def _segment(segment: domain.Segment, row: dict[str, Any]) -> Segment:
    spoken = segment.kind is Kind.ANNOUNCEMENT
    kind: Literal["music", "announcement"] = "announcement" if spoken else "music"
    return Segment(
        id=segment_id(segment),
        kind=kind,
        sha256=row["sha256"],
        start_at=segment.start,
        end_at=segment.end,
        offset_ms=segment.offset_us // US_PER_MS,
        fade_in_ms=segment.fade_in_us // US_PER_MS,
        fade_out_ms=segment.fade_out_us // US_PER_MS,
        music_id=None if spoken else row["pk"],
        announcement_id=row["pk"] if spoken else None,
        playlist_id=int(segment.playlist_id),
        title=row["title"] if spoken else row["name"],
        artist="" if spoken else row["artist"],
    )


def asset_of(kind: str, sound: Sound, row: dict[str, Any], now: datetime) -> Asset:
    """A sound of a plan, with a link that is the same all through the hour. `row` has the columns of its file."""
    url, expires_at = _link(kind, sound, now.replace(minute=0, second=0, microsecond=0))
    return Asset(
        sha256=sound.sha256,
        bytes=row["file_size"],
        mime=row["mime_type"],
        duration_ms=row["duration_ms"],
        gain_db=row["gain_db"],
        url=url,
        url_expires_at=expires_at,
    )


@lru_cache(maxsize=LINKS_REMEMBERED)
def _link(kind: str, sound: Sound, hour: datetime) -> tuple[str, int]:
    """The signed link and when it expires (µs UTC), the same all through an hour.

    Remembered, because signing anew for each floor takes longer than all the rest of a plan.
    """
    url, expires_at = media_url(kind, sound.pk, sound.sha256, now=hour)
    return url, clock.to_us(expires_at)
