"""The music's level under announcements, as a function of time alone.

For each announcement the gain is a trapezoid, linear in amplitude as the server draws it: down over `FADE_DOWN_US`
so that it has arrived when the announcement starts, back over `FADE_BACK_US` after its end. Several at once: the
deepest counts. Since it depends on nothing but instants, all speakers of a floor duck alike. What becomes known too
late for a fade, or is cancelled, is followed at `SLEW` (full scale in 50 ms) instead of a jump.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sync2gear_player.mixer import RATE
from sync2gear_player.mixer.levels import gain_of_db, ramp
from sync2gear_player.mixer.timeline import Timeline

FADE_DOWN_US = 500_000
FADE_BACK_US = 1_500_000
SLEW = 1.0 / (0.05 * RATE)


@dataclass(frozen=True)
class Duck:
    """The music stands at `depth_db` during `[start_at, end_at)` (µs UTC)."""

    start_at: float
    end_at: float
    depth_db: float


def music_gain(ducks: Iterable[Duck], instant: float) -> float:
    """The music's gain at an instant, 0 to 1."""
    return min((_trapezoid(duck, instant) for duck in ducks), default=1.0)


def _trapezoid(duck: Duck, instant: float) -> float:
    depth = gain_of_db(duck.depth_db)
    away = max((duck.start_at - instant) / FADE_DOWN_US, (instant - duck.end_at) / FADE_BACK_US, 0.0)
    return depth + (1.0 - depth) * min(1.0, away)


class Ducker:
    """Follows `music_gain` block by block."""

    def __init__(self) -> None:
        self.gain = 1.0

    def block(self, ducks: Iterable[Duck], timeline: Timeline, frames: int) -> npt.NDArray[np.float32]:
        """The music's gain over one block, shape (frames, 1)."""
        target = music_gain(ducks, timeline.instant(timeline.frame + frames))
        before, step = self.gain, SLEW * frames
        self.gain = min(before + step, max(before - step, target))
        return ramp(before, self.gain, frames)
