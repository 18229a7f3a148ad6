"""The mixer: 48 kHz, stereo, float32 in ±1, block by block, every position derived from the server's time."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

RATE = 48_000
CHANNELS = 2
US_PER_FRAME = 1e6 / RATE

Block: TypeAlias = npt.NDArray[np.float32]
"""Shape (frames, 2)."""
