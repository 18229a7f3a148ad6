"""Keeps the read position of a source on the timeline, though the output's crystal runs at its own pace.

The position that should sound follows from the server's time; the one that does sound advances frame by frame.
When they are more than `SLIP_FROM` frames (1 ms) apart, single frames are slipped until they agree: one frame per
block, spread over the block by fading from the old to the new position, which for one frame is linear
interpolation with a moving fraction. At 100 ppm that is one slip in 100 blocks, and inaudible. Beyond `JUMP_FROM`
(20 ms: the clock was set anew) music jumps, crossfaded within the block; words never do.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sync2gear_player.mixer import Block

SLIP_FROM = 48
SLIP_UNTIL = 1
JUMP_FROM = 960


class Playhead:
    """The next frame of the source to be read; None before the first read."""

    def __init__(self, *, may_jump: bool) -> None:
        self.position: int | None = None
        self._may_jump = may_jump
        self._slipping = False

    def read(self, wanted: float, frames: int, source: Callable[[int, int], Block]) -> Block:
        """`frames` frames where position `wanted` should sound; `source(position, frames)` reads."""
        if self.position is None:
            self.position = round(wanted)
        step = self._step(wanted - self.position)
        at = self.position
        self.position = at + frames + step
        block = source(at, frames)
        if step == 0 or frames == 0:
            return block
        fraction = (np.arange(1, frames + 1, dtype=np.float32) / np.float32(frames))[:, None]
        return block + (source(at + step, frames) - block) * fraction

    def _step(self, error: float) -> int:
        if abs(error) >= JUMP_FROM and self._may_jump:
            self._slipping = False
            return round(error)
        if abs(error) >= SLIP_FROM:
            self._slipping = True
        elif abs(error) < SLIP_UNTIL:
            self._slipping = False
        if not self._slipping:
            return 0
        return 1 if error > 0 else -1
