"""What sounds on one device at every instant: the programme, the announcements, and the gain between them.

Gains are linear amplitude, 0 to 1 (dB = 20 · log10); instants µs UTC. They stand before the device's volume
and the files' own loudness gain.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from playlists.domain.rows import Kind, Segment
from schedules.domain.conflicts import Claim, Loser, Play, resolve
from schedules.domain.ids import programme_event_id
from schedules.domain.rules import Priority
from zones.domain.wallclock import MINUTE_US, SECOND_US

DUCK_FADE_US = SECOND_US // 2
DUCK_RETURN_US = 3 * SECOND_US // 2
PROGRAMME_EXPIRY_US = MINUTE_US


@dataclass(frozen=True, slots=True)
class GainPoint:
    """A corner of the music's gain: linear between points, level before the first and after the last."""

    at: int
    gain: float


@dataclass(frozen=True, slots=True)
class Layer:
    """One sound at an instant: an item's or an event's id, its position (µs), and its linear gain."""

    id: str
    kind: Kind
    position_us: int
    gain: float


@dataclass(frozen=True, slots=True)
class Mix:
    """What one device sounds: the music of its programme, the announcements over it, and who lost."""

    music: tuple[Segment, ...]
    plays: tuple[Play, ...]
    losers: tuple[Loser, ...]
    envelope: tuple[GainPoint, ...]

    def at(self, instant: int) -> tuple[Layer, ...]:
        """The sounds at an instant: the announcement, if any, then music in order of start."""
        spoken = [
            Layer(play.event_id, Kind.ANNOUNCEMENT, instant - play.start, 1.0)
            for play in self.plays
            if play.start <= instant < play.end
        ]
        duck = music_gain(self.plays, instant)
        music = [
            Layer(s.item_id, s.kind, s.position(instant), duck * fade_gain(s, instant))
            for s in self.music
            if s.start <= instant < s.end
        ]
        return (*spoken, *music)


def programme_claims(
    segments: Iterable[Segment], floor_id: str, device_id: str, duck_db: float | None = -15.0
) -> tuple[Claim, ...]:
    """The announcements of a floor's programme as claims of one device; each may wait a minute."""
    return tuple(
        Claim(
            event_id=str(programme_event_id(s.playlist_id, floor_id, s.start, device_id)),
            priority=Priority.PLAYLIST,
            at=s.start,
            duration_us=s.end - s.start,
            expires_at=s.start + PROGRAMME_EXPIRY_US,
            duck_db=duck_db,
        )
        for s in segments
        if s.kind is Kind.ANNOUNCEMENT
    )


def mix(segments: Iterable[Segment], claims: Iterable[Claim], now: int) -> Mix:
    """Lay the claims over the programme's music.

    The programme's own announcements compete as claims (`programme_claims`); their segments are left out here,
    so that none is heard twice.
    """
    resolution = resolve(claims, now)
    music = tuple(segment for segment in segments if segment.kind is Kind.MUSIC)
    return Mix(music, resolution.plays, resolution.losers, envelope(resolution.plays))


def fade_gain(segment: Segment, at: int) -> float:
    """The segment's own gain (amplitude) from its fades, which are linear in power, at an instant inside it.

    Two different tracks that cross so keep the loudness: their powers add up to one.
    """
    rise = (at - segment.start) / segment.fade_in_us if segment.fade_in_us else 1.0
    fall = (segment.end - at) / segment.fade_out_us if segment.fade_out_us else 1.0
    return math.sqrt(max(0.0, min(1.0, rise, fall)))


def music_gain(plays: Iterable[Play], at: int) -> float:
    """The gain of the music at an instant: the least that any announcement leaves it.

    Each leaves 1 until 0.5 s before its start, falls to its depth by its start, stays there to its end, and
    is back at 1 after 1.5 s.
    """
    return min((_left(play, at) for play in plays), default=1.0)


def envelope(plays: Sequence[Play]) -> tuple[GainPoint, ...]:
    """`music_gain` of plays in order and without overlap, as its corners; empty if nothing ducks.

    Corners lie within 1 µs of the truth. Each play is held against its neighbours only.
    """
    instants: set[int] = set()
    for i, play in enumerate(plays):
        lines = _lines(play)
        instants.update(at for line in lines for at in (line.start, line.end))
        for other in plays[i + 1 : _begun(plays, i + 1, play.end + DUCK_RETURN_US)]:
            instants.update(at for a in lines for b in _lines(other) for at in _crossing(a, b))
    points: list[GainPoint] = []
    first = 0
    for at in sorted(instants):
        while plays[first].end + DUCK_RETURN_US < at:
            first += 1
        points.append(GainPoint(at, music_gain(plays[first : _begun(plays, first, at)], at)))
    return tuple(
        point
        for i, point in enumerate(points)
        if not (0 < i < len(points) - 1 and points[i - 1].gain == point.gain == points[i + 1].gain)
    )


def _begun(plays: Sequence[Play], first: int, at: int) -> int:
    """The first place from `first` on whose play does not duck anything before or at `at`."""
    while first < len(plays) and plays[first].start - DUCK_FADE_US <= at:
        first += 1
    return first


class _Line(NamedTuple):
    """A straight piece of one announcement's ducking."""

    start: int
    end: int
    first: float
    last: float

    @property
    def slope(self) -> float:
        return (self.last - self.first) / (self.end - self.start)


def _lines(play: Play) -> tuple[_Line, _Line, _Line]:
    depth = _depth(play)
    return (
        _Line(play.start - DUCK_FADE_US, play.start, 1.0, depth),
        _Line(play.start, play.end, depth, depth),
        _Line(play.end, play.end + DUCK_RETURN_US, depth, 1.0),
    )


def _crossing(a: _Line, b: _Line) -> tuple[int, ...]:
    """Where two pieces cross, if they do."""
    bend = a.slope - b.slope
    if bend == 0:
        return ()
    at = round((b.first - b.slope * (b.start - a.start) - a.first) / bend) + a.start
    return (at,) if max(a.start, b.start) <= at <= min(a.end, b.end) else ()


def _depth(play: Play) -> float:
    return 0.0 if play.duck_db is None else float(10 ** (play.duck_db / 20))


def _left(play: Play, at: int) -> float:
    """The gain that one announcement leaves the music."""
    before, after = (play.start - at) / DUCK_FADE_US, (at - play.end) / DUCK_RETURN_US
    depth = _depth(play)
    return depth + (1.0 - depth) * min(1.0, max(0.0, before, after))
