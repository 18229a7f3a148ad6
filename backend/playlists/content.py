"""What a floor's programme is made of, as one value that is stored and computed from.

    content → segments       pure: nothing here reads a row or the clock

Items are named by their row's id. Their asset names the sound's row and the content of its file, `17/ab12…`,
so that a sound that was replaced is another one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import msgspec

from playlists.domain import DEFAULT_CROSSFADE_US, Channel, Kind, Playlist, Segment, programme
from zones.domain import QuietHours, load_zone

SEED = "sync2gear"
"""Of all programmes; what differs between floors is the floor."""
PROGRAMMES_REMEMBERED = 128
"""About 250 kB each for a day of tracks."""


@dataclass(frozen=True, slots=True)
class Content:
    """A floor's zone (IANA), its quiet hours, and the playlists assigned to it with what can be played of them."""

    zone: str
    quiet: QuietHours | None
    playlists: tuple[Playlist, ...]

    @property
    def announces(self) -> bool:
        """Whether it has any announcement."""
        return any(playlist.enabled and playlist.announcements for playlist in self.playlists)

    def encoded(self) -> str:
        """As JSON: equal contents give equal text."""
        return msgspec.json.encode(self).decode()


_decode = msgspec.json.Decoder(Content).decode


def decoded(text: str) -> Content:
    """The content that `encoded` wrote."""
    return _decode(text)


class Revision(NamedTuple):
    """A stored content, and the instant (µs UTC) at which it takes effect."""

    effective: int
    content: str


class Sound(NamedTuple):
    """What a segment plays: the row of a track or an announcement, and the SHA-256 of its file."""

    pk: int
    sha256: str


def asset_of(sound: Sound) -> str:
    """The engine's name of a sound."""
    return f"{sound.pk}/{sound.sha256}"


def sound_of(segment: Segment) -> Sound:
    """The sound that `asset_of` named."""
    pk, _, sha256 = segment.asset.partition("/")
    return Sound(int(pk), sha256)


def segment_id(segment: Segment) -> str:
    """A segment's name in a plan: kind, row and start, `music-17-1767225600000000`; one floor has it once."""
    return f"{segment.kind}-{sound_of(segment).pk}-{segment.start}"


_MUSIC_SEGMENT = re.compile(r"music-([0-9]{1,18})-([0-9]{1,18})(\+[0-9]{1,9})?")


def named_track(name: str) -> tuple[int, int | None] | None:
    """The track's row in a segment's name, and its start (µs UTC); None for a name that is no track's.

    A device that outlives its plan plays its music again a day later: such a name ends in `+1`, and its start
    is not known.
    """
    found = _MUSIC_SEGMENT.fullmatch(name)
    if found is None:
        return None
    return int(found[1]), None if found[3] else int(found[2])


@lru_cache(maxsize=PROGRAMMES_REMEMBERED)
def told(floor_pk: int, revision: Revision, start: int, end: int) -> tuple[Segment, ...]:
    """The programme of one revision alone, from when it takes effect: what sounds in [start, end), µs UTC."""
    content = decoded(revision.content)
    channel = Channel(str(floor_pk), load_zone(content.zone), content.playlists, content.quiet)
    return programme(channel, SEED, start, end, crossfade_us=DEFAULT_CROSSFADE_US, anchor=revision.effective)


def joined(floor_pk: int, revisions: Sequence[Revision], start: int, end: int) -> tuple[Segment, ...]:
    """What sounds in [start, end) when one revision follows another; `revisions` in the order they were made.

    A newer revision overrules every older one from the instant at which it takes effect. That lies at a boundary
    of what was planned before, so nothing is cut; a track that would have run into it is left out.
    """
    segments: list[Segment] = []
    until = end
    for revision in reversed(revisions):
        if revision.effective >= until:
            continue
        earlier = told(floor_pk, revision, start, end)
        if until < end:
            earlier = tuple(segment for segment in earlier if segment.end <= until)
        segments[:0] = earlier
        until = revision.effective
        if until <= start:
            break
    return tuple(segments)


def announcements(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Those segments that are announcements."""
    return tuple(segment for segment in segments if segment.kind is Kind.ANNOUNCEMENT)
