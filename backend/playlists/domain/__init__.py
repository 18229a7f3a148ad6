"""The channel playlists of a floor as one programme, as pure functions."""

from playlists.domain.dayparts import Part, day_parts
from playlists.domain.ids import programme_event_id, programme_play_id
from playlists.domain.masks import masked
from playlists.domain.programme import DEFAULT_CROSSFADE_US, programme, sounding, takes_effect
from playlists.domain.rows import AnnouncementItem, Channel, Kind, MusicItem, Playlist, Segment

__all__ = [
    "DEFAULT_CROSSFADE_US",
    "AnnouncementItem",
    "Channel",
    "Kind",
    "MusicItem",
    "Part",
    "Playlist",
    "Segment",
    "day_parts",
    "masked",
    "programme",
    "programme_event_id",
    "programme_play_id",
    "sounding",
    "takes_effect",
]
