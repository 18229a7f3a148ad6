"""The floor's music: segments of the plan, each at the position that the server's time asks for.

A speaker that starts late joins mid-track; after an interruption the music is where the timeline is, since it was
never stopped but only turned down. Segments that overlap are crossfaded by their fades (linear in power); those
that meet are gapless. The next segment is opened `OPEN_AHEAD_US` before it is due.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sync2gear_player.messages import NOTHING, NowPlaying
from sync2gear_player.mixer import RATE, US_PER_FRAME, Block
from sync2gear_player.mixer.graph import silence
from sync2gear_player.mixer.levels import gain_of_db, power_ramp, straight_ramp
from sync2gear_player.mixer.playhead import JUMP_FROM, Playhead
from sync2gear_player.mixer.timeline import Timeline
from sync2gear_player.plan import Plan, Segment, repeated, silence_at

OPEN_AHEAD_US = 10_000_000
CATCH_UP_US = 300_000
RETRY_US = 1_000_000
LATE_ENTRY_US = 1_000
ENTRY_FADE_US = 50_000
CUT_FADE_US = 10_000
RELEASE_FADE_US = 500_000
OVERLAPPING = 4
"""At most so many segments sound at once."""
WHOLE_WITHIN_MS = 50


Shape = Callable[[npt.NDArray[np.float64], float], npt.NDArray[np.float64]]


class Source(Protocol):
    """A decoded file that is read by position (frames at 48 kHz)."""

    starved_frames: int

    def ready(self, position: int) -> bool:
        """Whether reading may begin at `position`."""

    def reaches(self, position: int) -> bool:
        """Whether `position` can still be read."""

    def read(self, position: int, frames: int) -> Block:
        """`frames` frames from `position`, zeros where there are none."""

    def close(self) -> None:
        """Frees it."""


Opener = Callable[[str, int], Source | None]
"""Opens an asset by SHA-256 for reading from a position; None if it is not in the cache (yet)."""


class _Voice:
    def __init__(self, segment: Segment, source: Source, gain: float, *, cut_short: bool) -> None:
        self.segment = segment
        self.source = source
        self.gain = np.float32(gain)
        self.head = Playhead(may_jump=True)
        self.cut_short = cut_short
        self.starved = False
        self.entered_at: float | None = None
        self.released_at: float | None = None

    def position(self, instant: float) -> float:
        """Where the timeline is in this asset, in frames."""
        return self.segment.offset_ms * RATE / 1000 + (instant - self.segment.start_at) / US_PER_FRAME

    def fades(self, timeline: Timeline, begin: int, end: int) -> Block | np.float32:
        """The gain of frames `begin` to `end` of the block."""
        first, last = timeline.instant(timeline.frame + begin), timeline.instant(timeline.frame + end)
        segment = self.segment
        edges: list[tuple[Shape, float, float, float]] = []
        if segment.fade_in_ms and first < segment.start_at + segment.fade_in_ms * 1000:
            edges.append((power_ramp, segment.start_at, 1.0, segment.fade_in_ms * 1000))
        if segment.fade_out_ms and last > segment.end_at - segment.fade_out_ms * 1000:
            edges.append((power_ramp, segment.end_at, -1.0, segment.fade_out_ms * 1000))
        elif self.cut_short and last > segment.end_at - CUT_FADE_US:
            edges.append((straight_ramp, segment.end_at, -1.0, CUT_FADE_US))
        if self.entered_at is not None and first < self.entered_at + ENTRY_FADE_US:
            edges.append((straight_ramp, self.entered_at, 1.0, ENTRY_FADE_US))
        if self.released_at is not None:
            edges.append((straight_ramp, self.released_at + RELEASE_FADE_US, -1.0, RELEASE_FADE_US))
        if not edges:
            return np.float32(1.0)
        instants = first + np.arange(end - begin, dtype=np.float64) * timeline.us_per_frame
        gain = np.ones(end - begin)
        for shape, anchor, sign, length in edges:
            gain *= shape(sign * (instants - anchor), length)
        return gain.astype(np.float32)[:, None]


class Programme:
    """Renders the music of the plan it was given last. Not thread-safe: the output's thread owns it."""

    def __init__(self, opener: Opener) -> None:
        self._open = opener
        self._base: Plan | None = None
        self._plan: Plan | None = None
        self._segments: tuple[Segment, ...] = ()
        self._starts: list[int] = []
        self._voices: dict[str, _Voice] = {}
        self._retry_at: dict[str, float] = {}
        self._starved_before = 0
        self.now_playing = NOTHING
        self.sounding: dict[str, Segment] = {}
        """The segments that are in the block rendered last, by id: two in a crossfade."""

    def set_plan(self, plan: Plan | None, now: int) -> None:
        """Takes a new plan. What sounds and is in it goes on; what sounds and is not fades out."""
        self._base = plan
        self._take(plan if plan is None else repeated(plan, now), now)

    def silent(self, instant: float) -> bool:
        """Whether the plan has a silence at an instant."""
        return self._plan is not None and silence_at(self._plan, instant) is not None

    @property
    def starved_blocks(self) -> int:
        """How often the decoder was too late, in blocks of 10 ms."""
        starved = sum(voice.source.starved_frames for voice in self._voices.values())
        return (self._starved_before + starved + 479) // 480

    def render(self, timeline: Timeline, frames: int) -> Block:
        """One block of music."""
        now = timeline.instant_us
        self._roll(now)
        self._open_due(now)
        mix = silence(frames)
        playing = NOTHING
        self.sounding = {}
        for voice in list(self._voices.values()):
            if self._add(voice, mix, timeline):
                position = max(0, round(voice.position(now) * 1000 / RATE))
                playing = NowPlaying("music", voice.segment.id, position)
                if not voice.starved:
                    self.sounding[voice.segment.id] = voice.segment
            if now >= voice.segment.end_at or (
                voice.released_at is not None and now >= voice.released_at + RELEASE_FADE_US
            ):
                self._close(voice)
        self.now_playing = playing
        return mix

    def _roll(self, now: float) -> None:
        """Goes round again at the end of the plan; and back, if the clock was set back before its beginning."""
        base, plan = self._base, self._plan
        if base is None or plan is None or not self._segments:
            return
        if now >= plan.valid_until or (plan is not base and now < plan.valid_from):
            self._take(repeated(base, int(now)), int(now))

    def _take(self, plan: Plan | None, now: int) -> None:
        self._plan = plan
        self._segments = plan.music() if plan is not None else ()
        self._starts = [segment.start_at for segment in self._segments]
        self._retry_at.clear()
        by_id = {segment.id: segment for segment in self._segments}
        for voice in list(self._voices.values()):
            if by_id.get(voice.segment.id) == voice.segment or voice.released_at is not None:
                continue
            if voice.head.position is None:
                self._close(voice)
                continue
            del self._voices[voice.segment.id]
            voice.released_at = now
            self._voices[f"{voice.segment.id} released at {now}"] = voice

    def _open_due(self, now: float) -> None:
        until = bisect_left(self._starts, now + OPEN_AHEAD_US)
        for segment in self._segments[max(0, until - OVERLAPPING) : until]:
            if segment.end_at <= now or segment.id in self._voices:
                continue
            if self._retry_at.get(segment.id, now) > now:
                continue
            late_us = max(0.0, now + CATCH_UP_US - segment.start_at)
            at = segment.offset_ms * RATE // 1000 + (
                round(late_us / US_PER_FRAME) if late_us > CATCH_UP_US else 0
            )
            source = self._open(segment.sha256, at)
            if source is None:
                self._retry_at[segment.id] = now + RETRY_US
                continue
            asset = self._plan.assets_by_hash().get(segment.sha256) if self._plan is not None else None
            played_ms = segment.offset_ms + (segment.end_at - segment.start_at) / 1000
            cut_short = asset is not None and played_ms < asset.duration_ms - WHOLE_WITHIN_MS
            gain = gain_of_db(asset.gain_db) if asset is not None else 1.0
            self._voices[segment.id] = _Voice(segment, source, gain, cut_short=cut_short)

    def _add(self, voice: _Voice, mix: Block, timeline: Timeline) -> bool:
        frames = len(mix)
        begin = max(0, round(timeline.index(voice.segment.start_at)))
        end = min(frames, round(timeline.index(voice.segment.end_at)))
        if begin >= end:
            return False
        instant = timeline.instant(timeline.frame + begin)
        wanted = voice.position(instant)
        if voice.head.position is None:
            if not voice.source.ready(round(wanted)):
                return False
            if instant - voice.segment.start_at > LATE_ENTRY_US:
                voice.entered_at = instant
        elif abs(wanted - voice.head.position) >= JUMP_FROM and not voice.source.reaches(round(wanted)):
            self._close(voice)
            return False
        starved_before = voice.source.starved_frames
        part = voice.head.read(wanted, end - begin, voice.source.read)
        voice.starved = voice.source.starved_frames - starved_before >= end - begin
        mix[begin:end] += part * (voice.fades(timeline, begin, end) * voice.gain)
        return True

    def _close(self, voice: _Voice) -> None:
        self._starved_before += voice.source.starved_frames
        voice.source.close()
        self._voices = {key: each for key, each in self._voices.items() if each is not voice}
