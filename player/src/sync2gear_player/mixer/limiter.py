"""A guard at the output: what adds up beyond full scale is turned down, and never wraps or clips hard.

Sources are within −1 dBTP each; only their sum can exceed it. The gain falls within the block that is too loud
and recovers over `RELEASE_S`; the peaks of the block in which it falls are bent by a soft knee (tanh) above `KNEE`.
"""

from __future__ import annotations

import numpy as np

from sync2gear_player.mixer import RATE, Block
from sync2gear_player.mixer.levels import ramp

CEILING = 0.891
"""−1 dBFS."""
KNEE = 0.92
RELEASE_S = 0.25


class Limiter:
    """Keeps |sample| < 1, and at or below `CEILING` from the second loud block on."""

    def __init__(self) -> None:
        self.gain = 1.0

    def process(self, block: Block) -> Block:
        """The guarded block; the same array when there was nothing to do."""
        peak = float(np.max(np.abs(block), initial=0.0))
        wanted = min(1.0, CEILING / peak) if peak > 0 else 1.0
        if wanted == 1.0 and self.gain == 1.0:
            return block
        before = self.gain
        self.gain = min(wanted, before + len(block) / (RELEASE_S * RATE))
        guarded: Block = block * ramp(before, self.gain, len(block))
        over = np.abs(guarded) > KNEE
        if over.any():
            excess = np.abs(guarded[over]) - KNEE
            bent = KNEE + (1 - KNEE) * np.tanh(excess / (1 - KNEE))
            guarded[over] = np.sign(guarded[over]) * np.minimum(bent, np.float32(0.99997))
        return guarded
