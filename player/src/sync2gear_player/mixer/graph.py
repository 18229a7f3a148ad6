"""The whole mix: music, ducked and gated; clips over it; a guard at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sync2gear_player.mixer import CHANNELS, RATE, Block
from sync2gear_player.mixer.ducking import FADE_BACK_US, Duck, Ducker
from sync2gear_player.mixer.levels import gain_of_volume, ramp
from sync2gear_player.mixer.limiter import Limiter
from sync2gear_player.mixer.timeline import Timeline
from sync2gear_player.mixer.voices import Clip, ClipEnded, ClipStarted, ClipVoice

GATE_SLEW = 1.0 / RATE
"""Music comes and goes over a second at a silence or a stop."""
GATE_LOOKAHEAD_US = 1_000_000
VOLUME_SLEW = 1.0 / (0.05 * RATE)


class Music(Protocol):
    """The programme's sound."""

    def render(self, timeline: Timeline, frames: int) -> Block:
        """One block, before volume and ducking."""

    def silent(self, instant: float) -> bool:
        """Whether the floor's music is silent at an instant (µs UTC)."""


@dataclass(frozen=True)
class Levels:
    """What a person or the server set. `music_off` is a stop on this speaker alone."""

    volume: int = 75
    muted: bool = False
    music_off: bool = False
    silenced: bool = False


class Mixer:
    """Renders block after block. Not thread-safe: the output's thread owns it."""

    def __init__(self, music: Music) -> None:
        self.levels = Levels()
        self.voices: list[ClipVoice] = []
        self._music = music
        self._ducker = Ducker()
        self._limiter = Limiter()
        self._past_ducks: list[Duck] = []
        self._gate = 0.0
        self._volume = 0.0

    def add(self, clip: Clip) -> None:
        """Arms a clip."""
        self.voices.append(ClipVoice(clip))

    def disarm(self, key: str) -> None:
        """Takes back a clip that has not started."""
        self.voices = [
            voice for voice in self.voices if voice.clip.key != key or voice.first_frame is not None
        ]

    def fade_out(self, key: str, end_at: float, fade_ms: int) -> None:
        """Fades out a clip."""
        for voice in self.voices:
            if voice.clip.key == key:
                voice.fade_out(end_at, fade_ms)

    def sounding(self) -> ClipVoice | None:
        """The clip that sounds now, if any."""
        return next((voice for voice in self.voices if voice.first_frame is not None), None)

    @property
    def music_audible(self) -> bool:
        """Whether music passes the gate."""
        return self._gate > 0.0

    @property
    def music_heard(self) -> bool:
        """Whether music passes the gate and the volume; it does so under an announcement that ducks it."""
        return self.music_audible and self._volume > 0.0

    def render(self, timeline: Timeline, frames: int) -> tuple[Block, list[ClipStarted | ClipEnded]]:
        """One block, and what started or ended in it."""
        music = self._music.render(timeline, frames)
        ducks = [*self._past_ducks, *(voice.duck() for voice in self.voices)]
        gain = self._ducker.block(ducks, timeline, frames)
        mix = music * gain * self._gated(timeline, frames) * self._volumed(frames)
        notes: list[ClipStarted | ClipEnded] = []
        for voice in self.voices:
            muted = (self.levels.muted or self.levels.silenced) and not voice.clip.emergency
            notes += voice.add_to(mix, timeline, muted=muted)
        self._retire(timeline)
        return self._limiter.process(mix), notes

    def _gated(self, timeline: Timeline, frames: int) -> Block:
        now = timeline.instant_us
        shut = (
            self.levels.music_off
            or self.levels.silenced
            or self._music.silent(now)
            or self._music.silent(now + GATE_LOOKAHEAD_US)
        )
        before = self._gate
        step = GATE_SLEW * frames
        self._gate = max(0.0, before - step) if shut else min(1.0, before + step)
        return np.sqrt(ramp(before, self._gate, frames))

    def _volumed(self, frames: int) -> Block:
        target = 0.0 if self.levels.muted else gain_of_volume(self.levels.volume)
        before, step = self._volume, VOLUME_SLEW * frames
        self._volume = min(before + step, max(before - step, target))
        return ramp(before, self._volume, frames)

    def _retire(self, timeline: Timeline) -> None:
        if any(voice.done for voice in self.voices):
            self._past_ducks += [voice.duck() for voice in self.voices if voice.done]
            self.voices = [voice for voice in self.voices if not voice.done]
        if self._past_ducks:
            horizon = timeline.instant_us - FADE_BACK_US
            self._past_ducks = [duck for duck in self._past_ducks if duck.end_at > horizon]


def silence(frames: int) -> Block:
    """A block of nothing."""
    return np.zeros((frames, CHANNELS), dtype=np.float32)
