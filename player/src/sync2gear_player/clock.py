"""Clocks: the machine's own, and a skewed one for the laboratory.

Everything that sounds is timed by the monotonic clock plus the offset that `clockfilter` estimates; the wall
clock is only a first guess of the time before the server was ever heard in this boot.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Protocol

_LINUX_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What the player believes of time. All values are µs."""

    @property
    def boot_id(self) -> str:
        """Names the span within which `monotonic_us` is one continuous scale."""

    @property
    def rate(self) -> float:
        """Seconds of this clock in one true second: 1.0 but for a laboratory clock."""

    def monotonic_us(self) -> int:
        """Never steps; its zero means nothing."""

    def wall_us(self) -> int:
        """µs UTC as the machine believes; may step at any time."""

    def true_us(self, monotonic_us: float) -> float:
        """µs UTC of the real, un-skewed machine at a reading of this monotonic clock; for measuring only."""


class RealClock:
    """The machine's clocks."""

    rate = 1.0

    def __init__(self) -> None:
        """Ties the monotonic scale to the wall clock once, so that later steps do not move `true_us`."""
        self.boot_id = _boot_id()
        self._wall_minus_monotonic_us = min(_read_both() for _ in range(20))[1]

    def monotonic_us(self) -> int:
        """CLOCK_MONOTONIC in µs."""
        return time.monotonic_ns() // 1000

    def wall_us(self) -> int:
        """CLOCK_REALTIME in µs."""
        return time.time_ns() // 1000

    def true_us(self, monotonic_us: float) -> float:
        """µs UTC of a monotonic reading, by the pair of clocks read at construction."""
        return monotonic_us + self._wall_minus_monotonic_us


class LabClock:
    """A real clock seen through an error: `offset_s` seconds away and `ppm` parts per million too fast.

    Both scales are skewed alike. The wall can be stepped at run time by writing seconds into `step_file`.
    """

    def __init__(
        self, real: RealClock, offset_s: float = 0.0, ppm: float = 0.0, step_file: Path | None = None
    ) -> None:
        self._real = real
        self._offset_us = offset_s * 1e6
        self._step_file = step_file
        self._wall_minus_monotonic_us = real.wall_us() - real.monotonic_us()
        self.rate = 1.0 + ppm * 1e-6
        self.boot_id = real.boot_id

    def monotonic_us(self) -> int:
        """The skewed monotonic clock."""
        return round(self._real.monotonic_us() * self.rate + self._offset_us)

    def wall_us(self) -> int:
        """The skewed wall clock, with the step that the file asks for at this moment."""
        return self.monotonic_us() + self._wall_minus_monotonic_us + round(self._step_s() * 1e6)

    def true_us(self, monotonic_us: float) -> float:
        """Undoes the skew: µs UTC of the real machine."""
        return self._real.true_us((monotonic_us - self._offset_us) / self.rate)

    def _step_s(self) -> float:
        if self._step_file is None or not self._step_file.exists():
            return 0.0
        return float(self._step_file.read_text() or 0)


def _read_both() -> tuple[int, float]:
    """How long reading both clocks took (ns): less is better; and wall minus monotonic in µs."""
    before = time.monotonic_ns()
    wall = time.time_ns()
    after = time.monotonic_ns()
    return after - before, (wall - (before + after) // 2) / 1000


def _boot_id() -> str:
    if _LINUX_BOOT_ID.exists():
        return _LINUX_BOOT_ID.read_text().strip()
    return str(uuid.uuid4())
