"""The token bucket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.domain.limits import Bucket

SECOND = 1_000_000


def taken(arrivals_us: list[int], *, rate: float = 10, burst: int = 40) -> int:
    """How many of these messages pass."""
    bucket, passed = Bucket.full(rate=rate, burst=burst, now_us=0), 0
    for now_us in arrivals_us:
        left = bucket.take(now_us=now_us)
        if left is not None:
            bucket, passed = left, passed + 1
    return passed


@pytest.mark.parametrize(
    ("arrivals_us", "passed"),
    [
        ([0] * 40, 40),
        ([0] * 41, 40),
        ([0] * 40 + [SECOND // 10], 41),
        ([0] * 40 + [SECOND // 10 - 1], 40),
        ([0] * 40 + [SECOND] * 11, 50),
        ([0] * 40 + [3600 * SECOND] * 41, 80),
        ([n * SECOND // 10 for n in range(500)], 500),
        ([5 * SECOND] * 40 + [0] * 5, 40),
    ],
    ids=[
        "burst",
        "one more",
        "a tenth later",
        "too soon",
        "a second",
        "never above burst",
        "rate",
        "clock back",
    ],
)
def test_what_passes(arrivals_us, passed):
    assert taken(arrivals_us) == passed


def test_a_clock_that_goes_back_and_forth_gains_nothing():
    assert taken([10 * SECOND] * 40 + [0, 10 * SECOND] * 100) == 40


@given(st.lists(st.integers(0, 60 * SECOND), max_size=300).map(sorted))
def test_never_more_than_burst_and_rate_allow(arrivals_us):
    span_s = (arrivals_us[-1] / SECOND) if arrivals_us else 0
    assert taken(arrivals_us, rate=2, burst=5) <= 5 + 2 * span_s + 1e-6
