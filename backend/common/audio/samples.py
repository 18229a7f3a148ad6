"""The one shape of sound in memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
"""Sound as float32 of shape (channels, samples), full scale ±1."""
