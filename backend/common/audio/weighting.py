"""Integrated loudness by ITU-R BS.1770-4: K-weighting and gating, as products of matrices.

The weighting is two recursive filters of second order in a row. A sample at a time they are four times as slow as all
else that is measured; but a block of what comes out is a linear function of the block that went in and of the four
numbers that the filters remember, and so is what they remember afterwards. So blocks are multiplied, and the memory is
handed from block to block by one more product for each 100 ms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from common.audio.samples import Samples

Doubles = npt.NDArray[np.float64]

_BLOCKS = range(48, 64)  # samples; shorter ones make too small a product, longer ones multiply too many zeros
_MEMORY = 4  # numbers that two filters of second order remember
_HOP_S, _HOPS = 0.1, 4  # gating blocks of 400 ms, one each 100 ms
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0  # LUFS, LU
_OFFSET = -0.691  # dB: a sine of 997 Hz at full scale in one channel reads −3.01 LUFS


def filters(rate: int) -> tuple[tuple[Doubles, Doubles], tuple[Doubles, Doubles]]:
    """Numerators and denominators of the head's shelf and of the high-pass at `rate` Hz.

    BS.1770-4 tables 1 and 2 are for 48 kHz. These are the analogue filters behind them, by the bilinear transform;
    at 48 kHz they give the tables. Below 6.7 kHz the shelf comes down to where a filter can still have it.
    """
    k = math.tan(math.pi * min(1681.974450955533 / rate, 0.25))
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    scale = 1 + k / q + k * k
    shelf = (
        np.array([high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k]) / scale,
        np.array([1.0, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale]),
    )
    k, q = math.tan(math.pi * min(38.13547087602444 / rate, 0.25)), 0.5003270373238773
    scale = 1 + k / q + k * k
    return shelf, (
        np.array([1.0, -2.0, 1.0]),
        np.array([1.0, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale]),
    )


def _filtered(both: Sequence[tuple[Doubles, Doubles]], inputs: Doubles, memory: Doubles) -> Doubles:
    """What comes out for rows of inputs, and behind it what is remembered; a sample at a time, transposed form II."""
    memory = memory.copy()
    out = np.empty((len(inputs), inputs.shape[1] + _MEMORY))
    for at in range(inputs.shape[1]):
        value = inputs[:, at]
        for place, (above, below) in enumerate(both):
            result = above[0] * value + memory[:, 2 * place]
            memory[:, 2 * place] = above[1] * value - below[1] * result + memory[:, 2 * place + 1]
            memory[:, 2 * place + 1] = above[2] * value - below[2] * result
            value = result
        out[:, at] = value
    out[:, inputs.shape[1] :] = memory
    return out


class KWeighted:
    """Takes blocks of one or two channels at `rate` Hz; keeps the weighted energy of each 100 ms.

    A hop is a whole number of blocks, of the length that comes nearest to 100 ms: exact at all usual rates.
    """

    def __init__(self, rate: int, channels: int) -> None:
        both = filters(rate)
        hop = round(rate * _HOP_S)
        block = min(_BLOCKS, key=lambda length: abs(hop - max(1, round(hop / length)) * length))
        blocks = max(1, round(hop / block))
        by_sample = _filtered(both, np.eye(block), np.zeros((block, _MEMORY)))
        by_memory = _filtered(both, np.zeros((_MEMORY, block)), np.eye(_MEMORY))
        powers = [np.eye(_MEMORY)]
        for _ in range(blocks):
            powers.append(powers[-1] @ by_memory[:, block:])
        passed = np.zeros((blocks, _MEMORY, blocks + 1, _MEMORY))
        for later in range(1, blocks + 1):
            for earlier in range(later):
                passed[earlier, :, later] = powers[later - 1 - earlier]
        self._out: Any = np.concatenate([by_sample, by_memory])[:, :block].astype(np.float32)
        self._kept: Any = by_sample[:, block:].astype(np.float32)
        self._passed: Any = passed.reshape(blocks * _MEMORY, -1).astype(np.float32)
        self._begun: Any = np.stack(powers, axis=1).reshape(_MEMORY, -1)
        self._block, self._blocks, self._hop = block, blocks, blocks * block
        self._memory = np.zeros((channels, _MEMORY))
        self._rest = np.zeros((channels, 0), np.float32)
        self._energies: list[Doubles] = []

    def add(self, samples: Samples) -> None:
        """Takes the next samples; what does not fill a hop waits for the next."""
        samples = np.concatenate([self._rest, samples], axis=1)
        channels, hops = samples.shape[0], samples.shape[1] // self._hop
        self._rest = samples[:, hops * self._hop :]
        if not hops:
            return
        # Each row holds a block, and behind it what the filters remember when it begins.
        rows = np.empty((channels * hops * self._blocks, self._block + _MEMORY), np.float32)
        rows[:, : self._block] = samples[:, : hops * self._hop].reshape(-1, self._block)
        kept = (rows[:, : self._block] @ self._kept).reshape(channels, hops, -1) @ self._passed
        starts = np.empty((channels, hops, _MEMORY))
        for hop in range(hops):
            starts[:, hop] = self._memory
            self._memory = self._memory @ self._begun[:, -_MEMORY:] + kept[:, hop, -_MEMORY:]
        kept += starts @ self._begun
        rows[:, self._block :] = kept[..., :-_MEMORY].reshape(-1, _MEMORY)
        weighted = (rows @ self._out).reshape(channels * hops, -1)
        energies = np.einsum("ij,ij->i", weighted, weighted).reshape(channels, hops)
        self._energies.append(energies.sum(axis=0, dtype=np.float64) / self._hop)

    def integrated(self) -> float:
        """Integrated loudness in LUFS of what was added; −inf if nothing of it is above −70 LUFS."""
        energies = np.concatenate([np.zeros(0), *self._energies])
        if energies.size < _HOPS:
            return -math.inf
        gated = np.lib.stride_tricks.sliding_window_view(energies, _HOPS).mean(axis=1)
        gated = gated[gated > 10 ** ((_ABSOLUTE_GATE - _OFFSET) / 10)]
        if not gated.size:
            return -math.inf
        gated = gated[gated > gated.mean() * 10 ** (_RELATIVE_GATE / 10)]
        return _OFFSET + 10 * math.log10(gated.mean())
