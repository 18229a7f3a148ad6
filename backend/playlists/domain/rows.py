"""The values that playlists and floors bring to the programme. Instants are µs UTC, lengths µs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from zones.domain.quiet import QuietHours
from zones.domain.wallclock import MINUTE_US

DEFAULT_MUSIC_INTERVAL_US = 5 * MINUTE_US
DEFAULT_ANNOUNCEMENT_INTERVAL_US = 15 * MINUTE_US


class Kind(StrEnum):
    """What a segment is."""

    MUSIC = "music"
    ANNOUNCEMENT = "announcement"


@dataclass(frozen=True, slots=True)
class MusicItem:
    """A track of a playlist.

    `interval_us`: least time from one start of the track to its next while another is free; None for the
    playlist's default. Raises ValueError unless `duration_us` is positive and the interval not negative.
    """

    id: str
    asset: str
    duration_us: int
    interval_us: int | None = None
    order: int = 0

    def __post_init__(self) -> None:
        _check_duration(self.duration_us)
        if self.interval_us is not None and self.interval_us < 0:
            raise ValueError("a track's interval is not negative")


@dataclass(frozen=True, slots=True)
class AnnouncementItem:
    """An announcement of a playlist, due every `interval_us` (None: the playlist's default).

    It plays only where valid_from ≤ start < valid_until (None: unbounded). Raises ValueError unless duration
    and interval are positive.
    """

    id: str
    asset: str
    duration_us: int
    interval_us: int | None = None
    order: int = 0
    valid_from: int | None = None
    valid_until: int | None = None

    def __post_init__(self) -> None:
        _check_duration(self.duration_us)
        if self.interval_us is not None and self.interval_us <= 0:
            raise ValueError("an announcement's interval is longer than nothing")

    def valid_at(self, at: int) -> bool:
        """Does its validity hold the instant `at`?"""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_until is None or at < self.valid_until
        )


def _check_duration(duration: int) -> None:
    if duration <= 0:
        raise ValueError("an item is longer than nothing")


@dataclass(frozen=True, slots=True)
class Playlist:
    """A channel playlist as a floor has it; `priority` is the assignment's, the greater wins.

    Items may stand in any order; `order`, then id, is theirs. Item ids are distinct within a playlist. Raises
    ValueError for doubles and for a default interval out of range.
    """

    id: str
    music: tuple[MusicItem, ...] = ()
    announcements: tuple[AnnouncementItem, ...] = ()
    shuffle_music: bool = True
    shuffle_announcements: bool = False
    default_music_interval_us: int = DEFAULT_MUSIC_INTERVAL_US
    default_announcement_interval_us: int = DEFAULT_ANNOUNCEMENT_INTERVAL_US
    quiet: QuietHours | None = None
    enabled: bool = True
    priority: int = 0

    def __post_init__(self) -> None:
        ids = [track.id for track in self.music] + [spoken.id for spoken in self.announcements]
        if len(set(ids)) < len(ids):
            raise ValueError("two items of a playlist have the same id")
        if self.default_music_interval_us < 0 or self.default_announcement_interval_us <= 0:
            raise ValueError("default intervals are positive; the music's may be nought")


@dataclass(frozen=True, slots=True)
class Channel:
    """A floor with all that is played on it: its zone, its quiet hours and the playlists assigned to it."""

    floor_id: str
    zone: tzinfo
    playlists: tuple[Playlist, ...] = ()
    quiet: QuietHours | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch [start, end) of a floor's programme.

    The asset sounds from `offset_us` of its own time; the fades lie inside the segment, at its start and its
    end. Two tracks that cross fade overlap: the later starts where the earlier one's fade begins.
    """

    start: int
    end: int
    kind: Kind
    item_id: str
    asset: str
    playlist_id: str
    offset_us: int = 0
    fade_in_us: int = 0
    fade_out_us: int = 0

    def position(self, at: int) -> int:
        """The place in the asset (µs) that sounds at the instant `at`."""
        return self.offset_us + at - self.start
