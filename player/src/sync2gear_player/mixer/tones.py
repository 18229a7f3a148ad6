"""Tones that a person asks for."""

from __future__ import annotations

import numpy as np

from sync2gear_player.mixer import RATE
from sync2gear_player.mixer.voices import Pcm

LEVEL = 0.25
"""−12 dBFS."""
EDGE_FRAMES = RATE // 100


def sine(hz: float, ms: int) -> Pcm:
    """A sine of `ms` with edges of 10 ms."""
    frames = ms * RATE // 1000
    steps = np.arange(frames)
    edge = np.clip(np.minimum(steps, steps[::-1]) / EDGE_FRAMES, 0.0, 1.0)
    mono = LEVEL * edge * np.sin(2 * np.pi * hz * steps / RATE)
    return np.repeat((mono * 32767).astype(np.int16)[:, None], 2, axis=1)


def identify() -> Pcm:
    """Three short rising tones: "it is me"."""
    pause = np.zeros((RATE // 10, 2), dtype=np.int16)
    return np.concatenate([sine(660, 150), pause, sine(880, 150), pause, sine(1175, 250)])
