"""One device, many who want it: what holds whoever comes when."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.domain import Kind, Segment
from schedules.domain import (
    Claim,
    Loss,
    Priority,
    mix,
    music_gain,
    occurrence_event_id,
    programme_event_id,
    resolve,
)
from schedules.domain.mix import DUCK_FADE_US, DUCK_RETURN_US, programme_claims
from zones.domain.wallclock import SECOND_US

tenths = st.integers(0, 600).map(lambda n: n * 100_000)
claims = st.lists(
    st.builds(
        lambda priority, at, length, patience, duck: Claim(
            "", priority, at, length, at + patience, None, duck
        ),
        st.sampled_from([p for p in Priority if p is not Priority.MUSIC]),
        tenths,
        st.integers(1, 100).map(lambda n: n * 100_000),
        st.integers(1, 300).map(lambda n: n * 100_000),
        st.sampled_from([-15.0, -6.0, None]),
    ),
    max_size=10,
).map(
    lambda found: [
        Claim(f"e{i}", c.priority, c.at, c.duration_us, c.expires_at, None, c.duck_db)
        for i, c in enumerate(found)
    ]
)


@given(claims, tenths, st.randoms(use_true_random=False))
def test_one_voice_at_a_time_and_nobody_is_forgotten(claims: list[Claim], now: int, shuffler: object) -> None:
    found = resolve(claims, now)
    assert all(a.end <= b.start for a, b in pairwise(found.plays))
    names = [play.event_id for play in found.plays] + [loser.event_id for loser in found.losers]
    assert sorted(names) == sorted(claim.event_id for claim in claims)
    by_id = {claim.event_id: claim for claim in claims}
    for play in found.plays:
        claim = by_id[play.event_id]
        assert max(claim.at, now) <= play.start < claim.expires_at
        assert play.end - play.start == claim.duration_us
    for loser in found.losers:
        assert loser.reason is Loss.EXPIRED
        assert loser.by is None or by_id[loser.by].priority <= by_id[loser.event_id].priority
    shuffler.shuffle(claims)  # type: ignore[attr-defined]  # Hypothesis types it as object here
    assert resolve(claims, now) == found


@given(claims, tenths)
def test_the_highest_is_never_made_to_wait_by_a_lower_one_that_has_not_begun(
    claims: list[Claim], now: int
) -> None:
    for priority in Priority:
        higher = [claim for claim in claims if claim.priority <= priority]
        ours = {claim.event_id for claim in higher}
        alone = resolve(higher, now)
        together = resolve(claims, now)
        assert tuple(play for play in together.plays if play.event_id in ours) == alone.plays


@given(claims, tenths)
def test_what_began_as_planned_is_left_alone_as_time_goes_on(claims: list[Claim], now: int) -> None:
    plan = resolve(claims, 0)
    started = {play.event_id: play.start for play in plan.plays if play.start <= now < play.end}
    over = {play.event_id for play in plan.plays if play.end <= now}
    later = resolve(
        [
            Claim(
                c.event_id, c.priority, c.at, c.duration_us, c.expires_at, started.get(c.event_id), c.duck_db
            )
            for c in claims
            if c.event_id not in over
        ],
        now,
    )
    assert set(later.plays) >= {play for play in plan.plays if play.start <= now < play.end}


def test_two_that_sound_already_are_no_state_of_a_device() -> None:
    both = [
        Claim(name, Priority.INTERVAL, 0, 10, 20, started_at=start) for name, start in (("a", 0), ("b", 5))
    ]
    with pytest.raises(ValueError, match="at once"):
        resolve(both, 6)


@given(claims, tenths)
def test_the_envelope_is_the_gain_at_every_instant(claims: list[Claim], now: int) -> None:
    found = mix((), claims, now)
    corners = found.envelope
    for a, b in pairwise(corners):
        for part in range(5):
            at = a.at + (b.at - a.at) * part // 4
            drawn = a.gain + (b.gain - a.gain) * (at - a.at) / (b.at - a.at)
            assert music_gain(found.plays, at) == pytest.approx(drawn, abs=1e-5)
    if corners:
        assert corners[0].gain == corners[-1].gain == 1.0
        assert corners[0].at == found.plays[0].start - DUCK_FADE_US
        assert corners[-1].at == found.plays[-1].end + DUCK_RETURN_US


def test_the_music_is_back_at_its_place_and_its_volume() -> None:
    track = Segment(0, 100 * SECOND_US, Kind.MUSIC, "m", "sha", "p", fade_out_us=2 * SECOND_US)
    word = Segment(100 * SECOND_US, 110 * SECOND_US, Kind.ANNOUNCEMENT, "n", "sha", "p")
    mine = Claim("e", Priority.INTERVAL, 40 * SECOND_US, 10 * SECOND_US, 42 * SECOND_US)
    theirs = programme_claims((track, word), "floor", "device")
    found = mix((track, word), (mine, *theirs), 0)
    assert [play.event_id for play in found.plays] == [
        "e",
        str(programme_event_id("p", "floor", 100 * SECOND_US, "device")),
    ]
    spoken, under = found.at(45 * SECOND_US)
    assert (spoken.id, spoken.position_us, spoken.gain) == ("e", 5 * SECOND_US, 1.0)
    assert (under.id, under.position_us) == ("m", 45 * SECOND_US)
    assert under.gain == pytest.approx(10 ** (-15 / 20))
    (back,) = found.at(60 * SECOND_US)
    assert (back.position_us, back.gain) == (60 * SECOND_US, 1.0)
    (fading,) = found.at(99 * SECOND_US)
    assert fading.gain == pytest.approx(0.5**0.5), "half of the power"
    assert found.at(120 * SECOND_US) == ()


def test_ids_tell_apart_what_is_apart() -> None:
    ids = {
        occurrence_event_id("1", 10, "2"),
        occurrence_event_id("1", 10, "3"),
        occurrence_event_id("1", 11, "2"),
        occurrence_event_id("2", 10, "2"),
        programme_event_id("1", "1", 10, "2"),
        programme_event_id("1", "2", 10, "2"),
    }
    assert len(ids) == 6
    assert all(found.version == 5 for found in ids)
