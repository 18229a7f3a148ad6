"""Loudness by ITU-R BS.1770-4 / EBU R 128, true peak, waveform and the bounds of silence, in one decode."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.audio.container import blocks
from common.audio.samples import Samples
from common.audio.truepeak import TruePeak
from common.audio.values import Loudness
from common.audio.weighting import KWeighted

HOP_MS = 5
_GATE_S = 0.4  # BS.1770-4 measures in blocks of 400 ms
_TILE_S = 3.0
_FAULTY = 1000.0  # what reaches 60 dB above full scale, or is no number, was damaged on its way
_AUDIBLE_DB = -45.0  # below the clip's own peak: what trimming takes for silence


@dataclass(frozen=True)
class Analysis:
    """A whole clip: loudness, largest |sample| of every 5 ms, Hz, channels, length in samples."""

    loudness: Loudness
    envelope: Samples
    rate: int
    channels: int
    samples: int

    def audible(self, margin_ms: int) -> tuple[int, int]:
        """First and last+1 sample of what can be heard: 45 dB below the peak and up.

        `margin_ms` is added at each side. The whole clip if it is silent.
        """
        peak = float(np.max(self.envelope, initial=0.0))
        loud = np.flatnonzero(self.envelope > peak * 10 ** (_AUDIBLE_DB / 20))
        if not loud.size:
            return 0, self.samples
        hop, margin = _hop(self.rate), self.rate * margin_ms // 1000
        return max(0, int(loud[0]) * hop - margin), min(self.samples, (int(loud[-1]) + 1) * hop + margin)

    def peaks(self, buckets: int) -> bytes:
        """The waveform in `buckets` equal parts, each the largest |sample| as 0–255."""
        if not self.envelope.size:
            return bytes(buckets)
        edges = np.linspace(0, self.envelope.size, buckets, endpoint=False).astype(np.intp)
        return bytes(
            np.clip(np.maximum.reduceat(self.envelope, edges) * 255, 0, 255).round().astype(np.uint8)
        )


def _hop(rate: int) -> int:
    return max(1, rate * HOP_MS // 1000)


class _Meter:
    """Integrated loudness and true peak, side by side."""

    def __init__(self, rate: int, channels: int) -> None:
        self._weighted, self._peak = KWeighted(rate, channels), TruePeak(channels)

    def add(self, samples: Samples) -> None:
        """Takes the next samples."""
        self._weighted.add(samples)
        self._peak.add(samples)

    def read(self) -> Loudness:
        """Of all that was added; nothing is added after it."""
        self._peak.finish()
        integrated = self._weighted.integrated()
        if not self._peak.largest or integrated == -math.inf:
            return Loudness(None, None)
        return Loudness(round(integrated, 3), 20 * math.log10(self._peak.largest))


def _seconds(source: Iterable[tuple[int, Samples]]) -> Iterator[tuple[int, Samples]]:
    """The same sound in blocks of a second or more: decoders give 25 ms, and a block costs as much as its samples."""
    waiting: list[Samples] = []
    length = 0
    for rate, samples in source:
        waiting.append(samples)
        length += samples.shape[1]
        if length >= rate:
            yield rate, np.concatenate(waiting, axis=1)
            waiting, length = [], 0
    if waiting:
        yield rate, np.concatenate(waiting, axis=1)


def _ahead(source: Iterator[tuple[int, Samples]]) -> Iterator[tuple[int, Samples]]:
    """The same, each made by a thread of its own while the one before is used: decoders and products hold no lock."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, source, None)
        while (block := coming.result()) is not None:
            coming = thread.submit(next, source, None)
            yield block


def analyse_blocks(source: Iterable[tuple[int, Samples]]) -> Analysis:
    """Analyses sound given as (Hz, samples) blocks of one rate and channel count, in bounded memory.

    A clip shorter than one 400 ms block is measured as if it were repeated for 3 s, so that a chime of
    200 ms reads as loud as the same chime rung without pause.
    """
    meter: _Meter | None = None
    start: list[Samples] = []
    envelope: list[Samples] = []
    rest = np.zeros((1, 0), np.float32)
    rate = channels = total = 0
    for rate, samples in _ahead(_seconds(source)):
        channels = samples.shape[0]
        loudest = np.abs(samples).max(axis=0, keepdims=True)
        if not loudest.max() < _FAULTY:  # also of what is no number
            samples = np.where(np.abs(samples) < _FAULTY, samples, np.float32(0))
            loudest = np.abs(samples).max(axis=0, keepdims=True)
        meter = meter or _Meter(rate, channels)
        meter.add(samples)
        if total < _GATE_S * rate:
            start.append(samples)
        total += samples.shape[1]
        loudest = np.concatenate([rest, loudest], axis=1)
        hop = _hop(rate)
        whole = loudest.shape[1] // hop * hop
        envelope.append(loudest[0, :whole].reshape(-1, hop).max(axis=1))
        rest = loudest[:, whole:]
    if meter is None or not total:
        return Analysis(Loudness(None, None), np.zeros(0, np.float32), rate, channels, 0)
    if rest.shape[1]:
        envelope.append(rest.max(axis=1))
    if total < _GATE_S * rate:
        clip = np.concatenate(start, axis=1)
        meter = _Meter(rate, channels)
        meter.add(np.tile(clip, (1, math.ceil(_TILE_S * rate / total))))
    return Analysis(meter.read(), np.concatenate(envelope), rate, channels, total)


def analyse(path: Path) -> Analysis:
    """Decodes the file once and analyses it. Raises AudioRefused if it is no sound that can be opened."""
    return analyse_blocks(blocks(path))


def analyse_samples(samples: Samples, rate: int) -> Analysis:
    """The same for samples in memory."""

    def source() -> Iterator[tuple[int, Samples]]:
        for at in range(0, samples.shape[1], rate):
            yield rate, samples[:, at : at + rate]

    return analyse_blocks(source())


def measure(path: Path) -> Loudness:
    """Integrated loudness and true peak of the file. Raises AudioRefused if it cannot be opened as sound."""
    return analyse(path).loudness


def peaks(path: Path, buckets: int = 200) -> bytes:
    """The waveform of the file in `buckets` equal parts, each 0–255. Raises as `measure` does."""
    return analyse(path).peaks(buckets)
