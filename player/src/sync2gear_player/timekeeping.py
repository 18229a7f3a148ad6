"""The server's time on this machine: the clock filter, fed by probes, kept over restarts."""

from __future__ import annotations

from collections.abc import Hashable

from sync2gear_player.clock import Clock
from sync2gear_player.clockfilter import KEPT_DRIFT_SIGMA, ClockFilter, Estimate, Probe, guess
from sync2gear_player.messages import ClockReport
from sync2gear_player.store import KeptClock, StateFolder

KEEP_EVERY_US = 60_000_000


class Timekeeper:
    """Ask it for `now`; tell it each probe."""

    def __init__(self, clock: Clock, state: StateFolder) -> None:
        """Begins with what was kept: within the same boot the offset still holds, else only the drift does."""
        self._clock = clock
        self._state = state
        self._burst: Hashable | None = None
        self._kept_us = clock.monotonic_us()
        kept = state.load("clock", KeptClock)
        self._filter = _filter_from(kept, clock)

    @property
    def estimate(self) -> Estimate:
        """The current belief."""
        return self._filter.estimate

    def now(self) -> int:
        """µs UTC of the server, as well as it is known."""
        return round(self.estimate.server_us(self._clock.monotonic_us()))

    @property
    def trusted(self) -> bool:
        """Whether scheduled announcements may be played by it."""
        return self.estimate.trusted(self._clock.monotonic_us())

    def report(self) -> ClockReport:
        """What is told to the server. Without any contact there is no bound of the error."""
        now = self._clock.monotonic_us()
        estimate = self.estimate
        known = estimate.contact_us is not None
        return ClockReport(
            state=estimate.state(now),
            error_us=estimate.error_us(now) if known else None,
            drift_ppb=round(estimate.drift * 1e9) if known else None,
            round_trip_us=round(estimate.round_trip_us) if known else None,
        )

    def probed(self, probe: Probe, burst: Hashable) -> bool:
        """Takes one exchange; `burst` names the burst it belongs to. True if the estimate moved."""
        if burst != self._burst:
            self.end_burst()
            self._filter.begin_burst()
            self._burst = burst
        return self._filter.add(probe)

    def end_burst(self) -> None:
        """Closes the running burst, and keeps the belief now and then."""
        if self._burst is None:
            return
        self._burst = None
        self._filter.end_burst()
        now = self._clock.monotonic_us()
        if now - self._kept_us >= KEEP_EVERY_US:
            self.keep()

    def keep(self) -> None:
        """Writes the belief into the state folder; does nothing before the first contact."""
        now = self._clock.monotonic_us()
        self._kept_us = now
        estimate = self.estimate
        if estimate.contact_us is None:
            return
        kept = KeptClock(
            boot_id=self._clock.boot_id,
            at_us=now,
            offset_us=estimate.server_us(now) - now,
            drift=estimate.drift,
            error_us=estimate.error_us(now),
            contact_us=estimate.contact_us,
        )
        self._state.save("clock", kept)


def _filter_from(kept: KeptClock | None, clock: Clock) -> ClockFilter:
    now, wall = clock.monotonic_us(), clock.wall_us()
    if kept is None:
        return ClockFilter(guess(now, wall, rebooted=False))
    if kept.boot_id != clock.boot_id or kept.at_us > now:
        return ClockFilter(guess(now, wall, rebooted=True), drift=kept.drift)
    held = Estimate(
        at_us=kept.at_us,
        offset_us=kept.offset_us,
        drift=kept.drift,
        var_offset=(kept.error_us / 2) ** 2,
        bound_us=kept.error_us,
        var_drift=KEPT_DRIFT_SIGMA**2,
        contact_us=kept.contact_us,
    )
    return ClockFilter(held, drift=kept.drift)
