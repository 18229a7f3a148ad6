"""True peak by ITU-R BS.1770-4, annex 2: four times oversampled, as a product of matrices."""

from __future__ import annotations

import numpy as np

from common.audio.samples import Samples

# The standard's own filter of order 48, as four phases. The later two are the earlier ones, turned round.
_FIRST = (
    0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875, 0.1373291015625,
    0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250, 0.0148925781250, -0.0083007812500,
)  # fmt: skip
_SECOND = (
    -0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500, 0.4650878906250,
    0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625, 0.0330810546875, -0.0189208984375,
)  # fmt: skip
_PHASES = np.array([_FIRST, _SECOND, _SECOND[::-1], _FIRST[::-1]], np.float32)
_MARGIN = _PHASES.shape[1] - 1
_BLOCK = 12  # samples of a row: the smaller, the fewer zeros are multiplied, and the smaller the product


def _oversampling() -> Samples:
    """Takes a block with its margin before it to four values for each of its samples."""
    matrix = np.zeros((_MARGIN + _BLOCK, _BLOCK * len(_PHASES)), np.float32)
    for at in range(_BLOCK):
        matrix[at : at + _MARGIN + 1, at * len(_PHASES) : (at + 1) * len(_PHASES)] = _PHASES[:, ::-1].T
    return matrix


_MATRIX = _oversampling()


class TruePeak:
    """Takes blocks of sound; `largest` is the largest |value| so far, at the samples or between them, 1 at full scale.

    The standard's filter may read 0.4 dB low and 0.2 dB high just below half of the sample rate.
    """

    def __init__(self, channels: int) -> None:
        self.largest = 0.0
        self._rest = np.zeros((channels, _MARGIN), np.float32)

    def add(self, samples: Samples) -> None:
        """Takes the next samples."""
        samples = np.concatenate([self._rest, samples], axis=1)
        rows = (samples.shape[1] - _MARGIN) // _BLOCK
        self._rest = samples[:, rows * _BLOCK :]
        if rows:
            self._look(samples, rows)

    def finish(self) -> None:
        """Looks at what did not fill a block; nothing is added after it."""
        left = self._rest.shape[1]
        rows = -(-left // _BLOCK)
        self._look(np.pad(self._rest, ((0, 0), (0, _MARGIN + rows * _BLOCK - left))), rows)

    def _look(self, samples: Samples, rows: int) -> None:
        windows = np.lib.stride_tricks.sliding_window_view(samples, _MARGIN + _BLOCK, axis=1)
        between = windows[:, : rows * _BLOCK : _BLOCK].reshape(-1, _MARGIN + _BLOCK) @ _MATRIX
        for values in (samples, between):
            self.largest = max(self.largest, float(np.max(values)), -float(np.min(values)))
