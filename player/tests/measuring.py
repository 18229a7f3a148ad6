"""What can be measured in a capture: when a sound begins in true time, and how loud it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sync2gear_player.mixer import RATE
from sync2gear_player.sinks.file import read_capture


def heard_in(wav: Path) -> tuple[np.ndarray, dict[str, Any]]:
    """The left channel of a capture as floats, and its JSON."""
    frames, truth = read_capture(wav)
    return frames[:, 0] / 32768, truth


def onset_us(samples: np.ndarray, truth: dict, sound: np.ndarray, near_us: int) -> float:
    """When `sound` begins in a capture, in µs of true time, by cross-correlation around `near_us`."""
    frame = round((near_us - truth["first_sample_true_us"]) * truth["rate"] / 1e6)
    begin = max(0, frame - RATE // 4)
    window = samples[begin : frame + len(sound) + RATE // 4]
    size = 1 << int(np.ceil(np.log2(len(window) + len(sound))))
    found = np.fft.irfft(np.fft.rfft(window, size) * np.conj(np.fft.rfft(sound, size)))
    at = begin + int(np.argmax(found[: len(window) - len(sound) + 1]))
    return truth["first_sample_true_us"] + at * 1e6 / truth["rate"]


def level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))
