"""Levels and fades as plain functions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SILENT_DB = -120.0


def gain_of_db(db: float) -> float:
    """Amplitude factor of a level in dB; −120 dB and below is silence."""
    return 0.0 if db <= SILENT_DB else float(10.0 ** (db / 20.0))


def gain_of_volume(volume: int) -> float:
    """Amplitude factor of a volume 0–100: the square law (v/100)², so 75 is −5 dB, 50 −12 dB, 25 −24 dB."""
    return (min(100, max(0, volume)) / 100.0) ** 2


def power_ramp(position: npt.NDArray[np.float64], length: float) -> npt.NDArray[np.float64]:
    """Amplitude of a fade that is linear in power: √x, x from 0 to 1 over `length` positions.

    A fade in and the fade out that overlaps it add up to constant power for uncorrelated material.
    """
    if length <= 0:
        return np.where(position >= 0, 1.0, 0.0)
    return np.sqrt(np.clip(position / length, 0.0, 1.0))


def straight_ramp(position: npt.NDArray[np.float64], length: float) -> npt.NDArray[np.float64]:
    """Amplitude of a fade that only avoids a click: linear, from 0 to 1 over `length` positions."""
    return power_ramp(position, length) ** 2


def ramp(start: float, end: float, frames: int) -> npt.NDArray[np.float32]:
    """A straight line over one block, as a column; its last frame has reached `end`."""
    if start == end:
        return np.full((frames, 1), end, dtype=np.float32)
    steps = np.arange(1, frames + 1, dtype=np.float32) / np.float32(frames)
    return (np.float32(start) + np.float32(end - start) * steps)[:, None]
