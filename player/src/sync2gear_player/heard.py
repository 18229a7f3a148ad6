"""Which music was heard, noticed block by block where it leaves the mixer.

A stretch is one segment of the programme sounding without a break; what is silent for less than `BREAK_US` (a short
mute, a decoder that was late) is no break. In a crossfade two stretches run at once, for both tracks are heard.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sync2gear_player.mixer import RATE
from sync2gear_player.plan import Segment

BREAK_US = 1_000_000
TOLD_EVERY_US = 60_000_000
"""A stretch that lasts is told this often, so that a crash loses no more of it."""


@dataclass(frozen=True)
class MusicHeard:
    """A stretch so far, or as a whole if it is `over`. Instants are µs of the monotonic clock."""

    report_id: str
    segment_id: str
    music_id: int
    began_us: float
    ended_us: float
    played_ms: int
    over: bool


@dataclass
class _Stretch:
    report_id: str
    segment_id: str
    music_id: int
    began_us: float
    ended_us: float
    told_us: float
    frames: int = 0

    def heard(self, *, over: bool) -> MusicHeard:
        played_ms = self.frames * 1000 // RATE
        return MusicHeard(
            self.report_id, self.segment_id, self.music_id, self.began_us, self.ended_us, played_ms, over
        )


class Ears:
    """Hears what the output plays. Not thread-safe: the output's thread owns it."""

    def __init__(self) -> None:
        self._open: dict[str, _Stretch] = {}

    def block(
        self, sounding: Iterable[Segment], begin_us: float, end_us: float, frames: int
    ) -> list[MusicHeard]:
        """One block of `frames`, heard during [begin_us, end_us), and what is to be told of it.

        A segment that does not name its track (a plan of an older server) is not told.
        """
        for segment in sounding:
            if segment.music_id is None:
                continue
            stretch = self._open.get(segment.id)
            if stretch is None:
                stretch = _Stretch(
                    str(uuid.uuid4()), segment.id, segment.music_id, begin_us, end_us, told_us=begin_us
                )
                self._open[segment.id] = stretch
            stretch.ended_us = end_us
            stretch.frames += frames
        told: list[MusicHeard] = []
        for stretch in list(self._open.values()):
            if end_us - stretch.ended_us >= BREAK_US:
                del self._open[stretch.segment_id]
                told.append(stretch.heard(over=True))
            elif end_us - stretch.told_us >= TOLD_EVERY_US:
                stretch.told_us = end_us
                told.append(stretch.heard(over=False))
        return told

    def stop(self) -> list[MusicHeard]:
        """Nothing is heard any more: all that was is over."""
        told = [stretch.heard(over=True) for stretch in self._open.values()]
        self._open.clear()
        return told
