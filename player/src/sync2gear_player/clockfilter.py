"""Offset and drift of the server's clock against this machine's monotonic clock.

Each probe is the four-timestamp exchange of NTP (RFC 5905 §8): offset = ((t2 − t1) + (t3 − t4)) / 2, round trip
= (t4 − t1) − (t3 − t2). Of a burst only the probe with the lowest round trip counts, since queueing can only
lengthen it. A two-state Kalman filter (offset in µs, drift in µs/µs) runs over those. The true offset of a
probe lies within half its round trip of the measured one whatever the asymmetry of the path. The reported error keeps
that bound: the least of half a round trip plus the filter's distance from that measurement, and of the bound before
plus the filter's step; it grows with the uncertainty of the drift until the next contact.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

ClockState = Literal["unsynced", "synced", "holdover", "untrusted"]

HOLDOVER_AFTER_US = 35_000_000
"""Three missed bursts."""
UNTRUSTED_ERROR_US = 2_000_000
"""Beyond the usual expiry of an occurrence (play_at + 2 s) a start can no longer be called on time."""
DRIFT_SIGMA = 100e-6
"""A crystal nobody measured yet: 100 ppm."""
KEPT_DRIFT_SIGMA = 5e-6
"""A crystal measured before the last restart: temperature and age move it by a few ppm."""
DRIFT_WALK_PER_SQRT_S = 2e-9
"""Random walk of the drift: about 0.1 ppm in an hour, 0.6 ppm in a day."""
DRIFT_SIGMAS = 3
"""The error's growth allows for a drift this far from the estimated one."""
HOLDOVER_FLOOR = 1e-6
"""Growth of the error without contact that is claimed at least: 1 ppm."""
OFFSET_NOISE_US = 30.0
"""What scheduling adds to the best of probes."""
FEW_PROBES = 8
"""So many probes tell how steady a path is."""
STEP_BURSTS = 2
"""So many bursts in a row must contradict the estimate before it is thrown away."""


@dataclass(frozen=True)
class Probe:
    """One exchange, all µs: t1 and t4 of this machine's monotonic clock, t2 and t3 of the server's."""

    t1: int
    t2: int
    t3: int
    t4: int

    @property
    def offset_us(self) -> float:
        """Server clock minus monotonic clock."""
        return ((self.t2 - self.t1) + (self.t3 - self.t4)) / 2

    @property
    def round_trip_us(self) -> int:
        """Time on the path, both ways."""
        return max(0, (self.t4 - self.t1) - (self.t3 - self.t2))

    @property
    def bound_us(self) -> float:
        """How far the true offset can be from `offset_us`: half the round trip, and the stamps' whole µs."""
        return self.round_trip_us / 2 + 1


@dataclass(frozen=True)
class Estimate:
    """An immutable belief, safe to hand to another thread. `at_us` is the monotonic reading it was made at."""

    at_us: float
    offset_us: float
    drift: float = 0.0
    var_offset: float = 0.0
    var_cross: float = 0.0
    var_drift: float = DRIFT_SIGMA**2
    bound_us: float = 0.0
    """Bound of the error at `at_us`."""
    round_trip_us: float = 0.0
    contact_us: float | None = None
    """Monotonic reading of the last contact; None before any."""

    def server_us(self, monotonic_us: float) -> float:
        """µs UTC of the server's clock at a reading of the monotonic clock."""
        return monotonic_us + self.offset_us + self.drift * (monotonic_us - self.at_us)

    def monotonic_us(self, server_us: float) -> float:
        """The inverse of `server_us`."""
        return self.at_us + (server_us - self.at_us - self.offset_us) / (1.0 + self.drift)

    def error_us(self, monotonic_us: float) -> int:
        """Bound of the distance from the server's clock."""
        return round(predict(self, monotonic_us).bound_us)

    def state(self, monotonic_us: float) -> ClockState:
        """What may be trusted to this clock now."""
        if self.contact_us is None:
            return "untrusted" if self.var_offset == float("inf") else "unsynced"
        if self.error_us(monotonic_us) > UNTRUSTED_ERROR_US:
            return "untrusted"
        return "holdover" if monotonic_us - self.contact_us > HOLDOVER_AFTER_US else "synced"

    def trusted(self, monotonic_us: float) -> bool:
        """Whether scheduled announcements may be played by this clock."""
        return self.state(monotonic_us) in ("synced", "holdover")


def guess(monotonic_us: int, wall_us: int, *, rebooted: bool) -> Estimate:
    """A belief by the wall clock alone: good enough for music, never for a schedule.

    `rebooted` means that the server was heard in an earlier boot: state `untrusted`, else `unsynced`.
    """
    variance = float("inf") if rebooted else 0.0
    return Estimate(at_us=monotonic_us, offset_us=wall_us - monotonic_us, var_offset=variance)


def predict(estimate: Estimate, monotonic_us: float) -> Estimate:
    """The belief carried forward to a later monotonic reading (Kalman prediction)."""
    dt = monotonic_us - estimate.at_us
    if dt <= 0 or estimate.var_offset == float("inf"):
        return estimate
    walk = (DRIFT_WALK_PER_SQRT_S**2) / 1e6
    return replace(
        estimate,
        at_us=monotonic_us,
        offset_us=estimate.offset_us + estimate.drift * dt,
        var_offset=estimate.var_offset
        + 2 * dt * estimate.var_cross
        + dt * dt * estimate.var_drift
        + walk * dt**3 / 3,
        var_cross=estimate.var_cross + dt * estimate.var_drift + walk * dt * dt / 2,
        var_drift=estimate.var_drift + walk * dt,
        bound_us=estimate.bound_us
        + dt * (HOLDOVER_FLOOR + DRIFT_SIGMAS * math.sqrt(estimate.var_drift + walk * dt)),
    )


def noise_us(probe: Probe, round_trips: Sequence[int]) -> float:
    """Standard deviation of a burst's best probe, by the round trips seen lately on this path.

    Its excess over the lowest one is queueing that may lie wholly on one way; and the lowest one itself is known
    only as well as the round trips are steady (for exponential queueing, an eighth of their usual excess).
    """
    lowest = min(round_trips)
    excess = statistics.median(round_trips) - lowest
    if len(round_trips) < FEW_PROBES:
        excess = max(excess, float(probe.round_trip_us))
    return OFFSET_NOISE_US + (probe.round_trip_us - lowest) / 2 + excess / 8


def correct(estimate: Estimate, probe: Probe, sigma: float) -> Estimate:
    """The belief after a measurement of standard deviation `sigma` µs (Kalman update)."""
    moved = predict(estimate, probe.t4)
    innovation = probe.offset_us - moved.offset_us
    total = moved.var_offset + sigma * sigma
    gain_offset, gain_drift = moved.var_offset / total, moved.var_cross / total
    step = gain_offset * innovation
    return Estimate(
        at_us=moved.at_us,
        offset_us=moved.offset_us + step,
        drift=moved.drift + gain_drift * innovation,
        var_offset=(1 - gain_offset) * moved.var_offset,
        var_cross=(1 - gain_offset) * moved.var_cross,
        var_drift=moved.var_drift - gain_drift * moved.var_cross,
        bound_us=min(moved.bound_us + abs(step), probe.bound_us + abs(innovation - step)),
        round_trip_us=probe.round_trip_us,
        contact_us=probe.t4,
    )


class ClockFilter:
    """Takes probes burst by burst and holds the current `estimate`."""

    def __init__(self, start: Estimate, drift: float | None = None) -> None:
        """`start` is a guess or a belief kept from before; `drift` one measured in an earlier boot."""
        self.estimate = start
        self._kept_drift = drift
        self._burst_best: Probe | None = None
        self._before_burst = start
        self._round_trips: deque[int] = deque(maxlen=80)
        self._contradictions = 0

    def begin_burst(self) -> None:
        """The probes that follow belong together."""
        self._burst_best = None
        self._before_burst = self.estimate

    def add(self, probe: Probe) -> bool:
        """Takes one probe; true if it moved the estimate (it is the best of its burst so far)."""
        self._round_trips.append(probe.round_trip_us)
        if self._burst_best is not None and probe.round_trip_us >= self._burst_best.round_trip_us:
            return False
        self._burst_best = probe
        self.estimate = self._updated(self._before_burst, probe)
        return True

    def end_burst(self) -> None:
        """Closes the burst; the clock of a server that was stepped is taken anew after two of them."""
        probe, before = self._burst_best, self._before_burst
        self._burst_best = None
        if probe is None or before.contact_us is None:
            return
        moved = predict(before, probe.t4)
        bound = 2_000 + (probe.round_trip_us + before.round_trip_us) / 2 + 5 * math.sqrt(moved.var_offset)
        if abs(probe.offset_us - moved.offset_us) <= bound:
            self._contradictions = 0
            return
        self._contradictions += 1
        if self._contradictions >= STEP_BURSTS:
            self._contradictions = 0
            self.estimate = self._fresh(probe, before.drift, KEPT_DRIFT_SIGMA)
        else:
            self.estimate = before

    def _updated(self, before: Estimate, probe: Probe) -> Estimate:
        if before.contact_us is not None:
            return correct(before, probe, noise_us(probe, self._round_trips))
        if self._kept_drift is not None:
            return self._fresh(probe, self._kept_drift, KEPT_DRIFT_SIGMA)
        return self._fresh(probe, 0.0, DRIFT_SIGMA)

    def _fresh(self, probe: Probe, drift: float, drift_sigma: float) -> Estimate:
        return Estimate(
            at_us=probe.t4,
            offset_us=probe.offset_us,
            drift=drift,
            var_offset=noise_us(probe, self._round_trips) ** 2,
            var_drift=drift_sigma**2,
            bound_us=probe.bound_us,
            round_trip_us=probe.round_trip_us,
            contact_us=probe.t4,
        )
