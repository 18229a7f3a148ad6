"""Which instant a frame of the output is heard at, for one block."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timeline:
    """Frame `frame` is heard at `instant_us` (µs UTC of the server), the next ones `us_per_frame` apart."""

    frame: int
    instant_us: float
    us_per_frame: float

    def instant(self, frame: float) -> float:
        """When a frame is heard, µs UTC."""
        return self.instant_us + (frame - self.frame) * self.us_per_frame

    def index(self, instant: float) -> float:
        """Frames from the block's first one to an instant; fractional, negative if it is past."""
        return (instant - self.instant_us) / self.us_per_frame
