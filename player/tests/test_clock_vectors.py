"""Vectors of the clock filter, which the browser speaker is held to as well (web/speaker/tests/clock.test.js).

Made by running this file: `python player/tests/test_clock_vectors.py > player/tests/clock_vectors.json`.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from sync2gear_player.clockfilter import ClockFilter, Probe, guess

VECTORS = Path(__file__).with_name("clock_vectors.json")
SERVER_US = 1_790_000_000_000_000
PATHS: dict[str, dict[str, Any]] = {
    "wired": {"ppm": 60, "least_us": 200, "jitter_us": 50},
    "wi-fi": {"ppm": -40, "least_us": 1500, "jitter_us": 3000},
    "200 ms of jitter": {"ppm": 20, "least_us": 5000, "jitter_us": 100_000},
    "a drift kept from before": {"ppm": 30, "least_us": 400, "jitter_us": 200, "kept_drift": -30e-6},
    "the server is stepped by 5 s": {"ppm": 10, "least_us": 200, "jitter_us": 20, "step_at": 5},
}
BURSTS = 9


def _bursts(
    seed: int, ppm: float, least_us: int, jitter_us: int, step_at: int = BURSTS
) -> list[list[list[int]]]:
    rng, bursts = random.Random(seed), []  # noqa: S311  a simulation
    for burst in range(BURSTS):
        probes = []
        for n in range(5):
            sent = burst * 10_000_000 + n * 200_000
            there, back = (least_us + rng.expovariate(1 / jitter_us) for _ in range(2))
            stamp = round(SERVER_US + sent + there + (5_000_000 if burst >= step_at else 0))
            t1, t4 = (round(at * (1 + ppm * 1e-6) + 123_456_789) for at in (sent, sent + there + 50 + back))
            probes.append([t1, stamp, stamp + 50, t4])
        bursts.append(probes)
    return bursts


def _believed(bursts: list[list[list[int]]], kept_drift: float | None) -> list[dict[str, float]]:
    clock, seen = ClockFilter(guess(0, 5, rebooted=False), kept_drift), []
    for burst in bursts:
        clock.begin_burst()
        for t1, t2, t3, t4 in burst:
            clock.add(Probe(t1, t2, t3, t4))
        clock.end_burst()
        at = burst[-1][3]
        seen.append(
            {
                "server_us": round(clock.estimate.server_us(at)),
                "error_us": clock.estimate.error_us(at + 10_000_000),
                "drift_ppb": round(clock.estimate.drift * 1e9),
            }
        )
    return seen


def _cases() -> list[dict[str, Any]]:
    cases = []
    for seed, (note, path) in enumerate(PATHS.items()):
        kept_drift = path.get("kept_drift")
        bursts = _bursts(seed, **{name: value for name, value in path.items() if name != "kept_drift"})
        cases.append(
            {
                "note": note,
                "kept_drift": kept_drift,
                "bursts": bursts,
                "expect": _believed(bursts, kept_drift),
            }
        )
    return cases


@pytest.mark.parametrize("case", json.loads(VECTORS.read_text()), ids=lambda case: case["note"])
def test_the_reference_believes_what_the_vectors_say(case):
    assert _believed(case["bursts"], case["kept_drift"]) == case["expect"]


def test_every_path_has_its_vector():
    assert [case["note"] for case in json.loads(VECTORS.read_text())] == list(PATHS)


if __name__ == "__main__":
    json.dump(_cases(), sys.stdout)
    sys.stdout.write("\n")
