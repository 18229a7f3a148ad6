"""A clip that is whole in memory: an announcement or a tone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from sync2gear_player.mixer import RATE, US_PER_FRAME, Block
from sync2gear_player.mixer.ducking import Duck
from sync2gear_player.mixer.levels import gain_of_db, gain_of_volume, straight_ramp
from sync2gear_player.mixer.playhead import Playhead
from sync2gear_player.mixer.timeline import Timeline

Pcm = npt.NDArray[np.int16]
"""Shape (frames, 2), 48 kHz."""

DECLICK_FRAMES = RATE // 100
"""10 ms: the fade at an edge that does not lie at the clip's own beginning."""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """What is to sound: the frames of `pcm` from `offset_frames` on, its first frame heard at `start_at`.

    `key` is the event id or the command id. `volume` 0–100 stands by itself: it is not multiplied by the
    speaker's. Only an emergency is heard through mute.
    """

    key: str
    kind: Literal["announcement", "tone"]
    pcm: Pcm
    start_at: int
    offset_frames: int = 0
    volume: int = 100
    gain_db: float = 0.0
    duck_db: float = -15.0
    emergency: bool = False
    announcement_id: int = 0


@dataclass(frozen=True)
class ClipStarted:
    """Frame `frame` carries the first sample and is heard at `at` (µs UTC)."""

    clip: Clip
    frame: int
    at: float
    muted: bool


@dataclass(frozen=True)
class ClipEnded:
    """The last sample was before `frame`, heard at `at`; `played_frames` of the clip sounded."""

    clip: Clip
    frame: int
    at: float
    played_frames: int


class ClipVoice:
    """Renders one clip. What comes too late for its first frame enters at the position that is due."""

    def __init__(self, clip: Clip) -> None:
        self.clip = clip
        self.done = False
        self.first_frame: int | None = None
        self.played_frames = 0
        self._entered = 0
        self._head = Playhead(may_jump=False)
        self._gain = gain_of_volume(clip.volume) * gain_of_db(clip.gain_db)
        self._fade_from: float | None = None
        self._fade_until = 0.0

    def fade_out(self, end_at: float, fade_ms: int) -> None:
        """Be silent at `end_at` (µs UTC), fading over the `fade_ms` before."""
        self._fade_from, self._fade_until = end_at - fade_ms * 1000.0, end_at

    def duck(self) -> Duck:
        """How the music yields to it."""
        end_at = self.clip.start_at + (len(self.clip.pcm) - self.clip.offset_frames) * US_PER_FRAME
        if self._fade_from is not None:
            end_at = min(end_at, self._fade_until)
        return Duck(self.clip.start_at, max(self.clip.start_at, end_at), self.clip.duck_db)

    def position_ms(self) -> int:
        """Where in the clip it is."""
        return (self._entered + self.played_frames) * 1000 // RATE

    def add_to(self, mix: Block, timeline: Timeline, *, muted: bool) -> tuple[ClipStarted | ClipEnded, ...]:
        """Adds its part of the block to `mix`, and tells if it started or ended within it."""
        frames = len(mix)
        begin = max(0, round(timeline.index(self.clip.start_at))) if self.first_frame is None else 0
        if begin >= frames or self.done:
            return ()
        notes: list[ClipStarted | ClipEnded] = []
        instant = timeline.instant(timeline.frame + begin)
        wanted = self.clip.offset_frames + (instant - self.clip.start_at) / US_PER_FRAME
        if self._head.position is None:
            self._entered = round(wanted)
        position = self._entered if self._head.position is None else self._head.position
        end = min(frames, begin + max(0, len(self.clip.pcm) - position))
        if self._fade_from is not None:
            end = min(end, max(begin, round(timeline.index(self._fade_until))))
        length = end - begin
        if self.first_frame is None and length:
            self.first_frame = timeline.frame + begin
            notes.append(ClipStarted(self.clip, self.first_frame, instant, muted))
        part = self._head.read(wanted, length, self._source) * np.float32(0.0 if muted else self._gain)
        mix[begin:end] += part * self._edges(timeline, begin, length)
        self.played_frames += length
        if end < frames:
            self.done = True
            frame = timeline.frame + end
            notes.append(ClipEnded(self.clip, frame, timeline.instant(frame), self.played_frames))
        return tuple(notes)

    def _source(self, position: int, frames: int) -> Block:
        block = np.zeros((frames, 2), dtype=np.float32)
        begin, end = max(0, position), min(len(self.clip.pcm), position + frames)
        if begin < end:
            block[begin - position : end - position] = self.clip.pcm[begin:end] * np.float32(1 / 32768)
        return block

    def _edges(self, timeline: Timeline, begin: int, length: int) -> Block | np.float32:
        joined = self._entered > 0 and self.played_frames < DECLICK_FRAMES
        if not joined and self._fade_from is None:
            return np.float32(1.0)
        gain = np.ones(length)
        steps = np.arange(length, dtype=np.float64)
        if joined:
            gain *= straight_ramp(steps + self.played_frames, DECLICK_FRAMES)
        if self._fade_from is not None:
            fade_frames = (self._fade_until - self._fade_from) / timeline.us_per_frame
            gain *= straight_ramp(timeline.index(self._fade_until) - begin - steps, fade_frames)
        return gain.astype(np.float32)[:, None]
