"""When a play starts and until when it may: arithmetic in µs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.domain import timing
from events.domain.timing import MS, SECOND, Path, Start


def path(lead_ms: int = 0, delay_ms: int = 0, round_trip_ms: int | None = 0) -> Path:
    return Path(
        required_lead_us=lead_ms * MS,
        output_delay_us=delay_ms * MS,
        round_trip_us=None if round_trip_ms is None else round_trip_ms * MS,
    )


@pytest.mark.parametrize(
    ("paths", "clip_bytes", "lead_ms"),
    [
        ([], 4_000_000, 150),
        ([path()], 0, 150),
        ([path(40, 20, 10)], 0, 170),
        ([path(0, 0, None)], 0, 400),
        ([path()], 4_000_000, 1100),
        ([path(), path()], 0, 1000),
        ([path(800, 200, 50), path()], 400_000, 1250),
        ([path(100), path(200), path(300)], 0, 1000),
    ],
    ids=["nobody", "one", "its own", "unmeasured", "a large clip", "together", "the slowest", "all quick"],
)
def test_lead(paths, clip_bytes, lead_ms):
    assert timing.lead_us(paths, clip_bytes=clip_bytes) == lead_ms * MS


def test_expiry():
    assert timing.expiry_us(5, waits=False) == 5 + 2 * SECOND
    assert timing.expiry_us(5, waits=True) == 5 + 60 * SECOND


@pytest.mark.parametrize(
    ("now_s", "expected"),
    [
        (0, Start(100 * SECOND, "join")),
        (99, Start(100 * SECOND, "join")),
        (99.5, Start(100 * SECOND, "join")),
        (104.999, Start(100 * SECOND, "join")),
        (105, Start(106 * SECOND, "join")),
        (158.9, Start(int(159.9 * SECOND), "join")),
        (159, None),
        (300, None),
    ],
)
def test_resume_of_a_five_second_clip_at_100_s_with_a_second_of_lead(now_s, expected):
    start = timing.resume(
        play_at=100 * SECOND,
        duration_us=5 * SECOND,
        expires_at=160 * SECOND,
        now=int(now_s * SECOND),
        lead=SECOND,
    )
    assert start == expected


@given(
    now=st.integers(0, 400 * SECOND),
    duration=st.integers(0, 200 * SECOND),
    lead=st.integers(0, 5 * SECOND),
)
def test_resume_never_starts_late_from_the_beginning(now, duration, lead):
    play_at, expires_at = 100 * SECOND, 160 * SECOND
    start = timing.resume(play_at=play_at, duration_us=duration, expires_at=expires_at, now=now, lead=lead)
    if start is not None and start.play_at != play_at:
        assert now + lead == start.play_at < expires_at
        assert now >= play_at + duration, "the others have ended"
