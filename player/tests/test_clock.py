"""The clocks, and the filter that follows the server's."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync2gear_player.clock import LabClock, RealClock
from sync2gear_player.clockfilter import (
    HOLDOVER_AFTER_US,
    UNTRUSTED_ERROR_US,
    ClockFilter,
    Probe,
    guess,
)
from sync2gear_player.store import StateFolder
from sync2gear_player.timekeeping import Timekeeper

SERVER_US = 1_790_000_000_000_000


class Path:
    """A path with random delays between a speaker whose crystal is `ppm` wrong and a perfect server."""

    def __init__(
        self, seed: int, *, ppm: float, least_us: float, jitter_us: float, asymmetry_us: float = 0.0
    ):
        self.rng = random.Random(seed)  # noqa: S311  a simulation
        self.rate = 1 + ppm * 1e-6
        self.least_us, self.jitter_us, self.asymmetry_us = least_us, jitter_us, asymmetry_us

    def monotonic(self, true_us: float) -> float:
        return true_us * self.rate + 123_456_789

    def probe(self, true_us: float) -> Probe:
        there = self.least_us + self.rng.expovariate(1 / self.jitter_us)
        back = self.least_us + self.asymmetry_us + self.rng.expovariate(1 / self.jitter_us)
        at = true_us + there
        stamp = round(SERVER_US + at)
        return Probe(round(self.monotonic(true_us)), stamp, stamp + 50, round(self.monotonic(at + 50 + back)))

    def burst(self, clock: ClockFilter, true_us: float, count: int = 8) -> None:
        clock.begin_burst()
        for n in range(count):
            clock.add(self.probe(true_us + n * 200_000))
        clock.end_burst()

    def distance(self, clock: ClockFilter, true_us: float) -> float:
        return clock.estimate.server_us(self.monotonic(true_us)) - (SERVER_US + true_us)


def fresh() -> ClockFilter:
    return ClockFilter(guess(0, 5, rebooted=False))


def run(path: Path, seconds: int = 300) -> tuple[ClockFilter, list[tuple[float, int]]]:
    """Bursts every 10 s; what the filter was off by, and what it claimed, just before each burst."""
    clock, seen = fresh(), []
    for second in range(0, seconds, 10):
        if second:
            now = second * 1_000_000
            seen.append((path.distance(clock, now), clock.estimate.error_us(path.monotonic(now))))
        path.burst(clock, second * 1_000_000)
    return clock, seen


@pytest.mark.parametrize(
    ("name", "path", "bound_us"),
    [
        ("wired", dict(ppm=60, least_us=200, jitter_us=50), 60),
        ("wi-fi", dict(ppm=-40, least_us=1500, jitter_us=3000), 1000),
        ("200 ms of jitter", dict(ppm=20, least_us=5000, jitter_us=100_000), 60_000),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_follows_a_drifting_clock(name, path, bound_us):
    worst = 0.0
    for seed in range(5):
        clock, seen = run(Path(seed, **path))
        worst = max(worst, *(abs(off) for off, _ in seen[10:]))
    assert worst < bound_us, name
    if name == "wired":
        assert clock.estimate.drift * 1e6 == pytest.approx(-60, abs=1)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    ppm=st.floats(-100, 100),
    least_us=st.floats(100, 20_000),
    jitter_us=st.floats(10, 100_000),
    asymmetry=st.floats(0, 1),
)
def test_the_claimed_error_is_honest(seed, ppm, least_us, jitter_us, asymmetry):
    path = Path(seed, ppm=ppm, least_us=least_us, jitter_us=jitter_us, asymmetry_us=asymmetry * least_us)
    _, seen = run(path, 200)
    lies = [off for off, claimed in seen if abs(off) > claimed]
    assert len(lies) <= 1, (lies, seen)


def test_the_lowest_round_trip_of_a_burst_counts():
    clock = fresh()
    clock.begin_burst()
    assert clock.add(Probe(0, 50_100, 50_100, 200))
    assert not clock.add(Probe(1000, 99_000, 99_000, 90_000))
    assert clock.estimate.server_us(200) == pytest.approx(50_200, abs=1)


def test_states_and_growth():
    path = Path(1, ppm=0, least_us=200, jitter_us=20)
    clock = fresh()
    assert clock.estimate.state(0) == "unsynced"
    assert ClockFilter(guess(0, 5, rebooted=True)).estimate.state(10**9) == "untrusted"
    for second in range(0, 100, 10):
        path.burst(clock, second * 1_000_000)
    contact = clock.estimate.contact_us
    assert clock.estimate.state(contact) == "synced"
    assert clock.estimate.state(contact + HOLDOVER_AFTER_US + 1) == "holdover"
    assert clock.estimate.trusted(contact + 86_400_000_000), "a day offline keeps the schedule"
    day, month = (clock.estimate.error_us(contact + days * 86_400_000_000) for days in (1, 30))
    assert clock.estimate.error_us(contact) < day < UNTRUSTED_ERROR_US < month
    assert clock.estimate.state(contact + 30 * 86_400_000_000) == "untrusted"


def test_a_stepped_server_is_followed_after_two_bursts():
    path = Path(3, ppm=10, least_us=200, jitter_us=20)
    clock, _ = run(path, 100)
    moved = SERVER_US

    class Stepped(Path):
        def probe(self, true_us):
            found = super().probe(true_us)
            return Probe(found.t1, found.t2 + 5_000_000, found.t3 + 5_000_000, found.t4)

    stepped = Stepped(4, ppm=10, least_us=200, jitter_us=20)
    stepped.burst(clock, 100_000_000)
    assert abs(path.distance(clock, 100_000_000)) < 1000, "one burst is not believed"
    stepped.burst(clock, 110_000_000)
    assert path.distance(clock, 110_000_000) == pytest.approx(5_000_000, abs=1000)
    assert moved == SERVER_US


def test_inverse():
    clock, _ = run(Path(1, ppm=60, least_us=200, jitter_us=20), 50)
    for monotonic in (0, 10**9, 10**12):
        assert clock.estimate.monotonic_us(clock.estimate.server_us(monotonic)) == pytest.approx(
            monotonic, abs=0.6
        )


def test_the_lab_clock_errs_as_asked_and_knows_the_truth(tmp_path):
    step = tmp_path / "step"
    real = RealClock()
    lab = LabClock(real, offset_s=600, ppm=100, step_file=step)
    begin, true_begin = lab.monotonic_us(), real.monotonic_us()
    assert begin - true_begin == pytest.approx(600e6 + true_begin * 100e-6, abs=2000)
    assert lab.true_us(lab.monotonic_us()) == pytest.approx(real.true_us(real.monotonic_us()), abs=2000)
    before = lab.wall_us()
    step.write_text("-600")
    assert lab.wall_us() - before == pytest.approx(-600e6, abs=200_000)
    assert lab.monotonic_us() - begin < 10_000_000


class Bench:
    """A clock that a test sets."""

    rate = 1.0

    def __init__(self, boot_id="boot"):
        self.boot_id, self.at, self.wall = boot_id, 1_000_000, SERVER_US

    def monotonic_us(self):
        return self.at

    def wall_us(self):
        return self.wall

    def true_us(self, monotonic_us):
        return monotonic_us


def test_a_restart_within_a_boot_holds_the_offset_and_another_boot_only_the_drift(tmp_path):
    clock, state = Bench(), StateFolder(tmp_path)
    time = Timekeeper(clock, state)
    assert not time.trusted
    path = Path(9, ppm=50, least_us=100, jitter_us=10)
    for second in range(0, 60, 10):
        for n in range(3):
            time.probed(path.probe(second * 1e6 + n), second)
        time.end_burst()
    clock.at = round(path.monotonic(60e6))
    time.keep()
    right = SERVER_US + 60_000_000

    clock.wall += 10**12
    again = Timekeeper(clock, state)
    assert again.trusted
    assert again.now() == pytest.approx(right, abs=500)
    assert again.estimate.drift * 1e6 == pytest.approx(-50, abs=3)

    rebooted = Bench("other")
    after = Timekeeper(rebooted, state)
    assert after.report().state == "untrusted"
    assert after.now() == rebooted.wall, "music by the wall clock"
    after.probed(path.probe(61e6), 1)
    assert after.trusted
    assert after.estimate.drift * 1e6 == pytest.approx(-50, abs=3), "the drift is not learnt anew"
