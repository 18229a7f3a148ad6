"""The programme of a floor: what holds for any playlists, any zone and any window."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playlists.domain import (
    AnnouncementItem,
    Channel,
    Kind,
    MusicItem,
    Playlist,
    Segment,
    day_parts,
    masked,
    programme,
    sounding,
    takes_effect,
)
from playlists.domain.programme import LEAST_SOUND_US
from zones.domain import QuietHours, Span, load_zone, local_days, midnight, quiet_spans, to_us
from zones.domain.tests.strategies import any_day, cut_windows, maybe_quiet, zones
from zones.domain.wallclock import DAY_US, HOUR_US, MINUTE_US, SECOND_US

LONDON = load_zone("Europe/London")
Window = tuple[ZoneInfo, int, int, int]


def music(*seconds: int, interval: int = 0) -> tuple[MusicItem, ...]:
    return tuple(
        MusicItem(f"m{i}", f"sha-m{i}", s * SECOND_US, interval * SECOND_US, i) for i, s in enumerate(seconds)
    )


def spoken(*seconds: int, every: int = 15) -> tuple[AnnouncementItem, ...]:
    return tuple(
        AnnouncementItem(f"n{i}", f"sha-n{i}", s * SECOND_US, every * MINUTE_US, i)
        for i, s in enumerate(seconds)
    )


durations = st.lists(st.integers(90, 900), max_size=6)
playlists = st.builds(
    lambda tracks, words, interval, every, shuffle, turns, quiet, enabled, priority: Playlist(
        id="?",
        music=music(*tracks, interval=interval),
        announcements=spoken(*words, every=every),
        shuffle_music=shuffle,
        shuffle_announcements=turns,
        quiet=quiet,
        enabled=enabled,
        priority=priority,
    ),
    durations,
    st.lists(st.integers(5, 90), max_size=3),
    st.sampled_from([0, 300, 3000]),
    st.integers(5, 60),
    st.booleans(),
    st.booleans(),
    maybe_quiet,
    st.sampled_from([True, True, True, False]),
    st.integers(0, 2),
)
crossfades = st.sampled_from([0, 2 * SECOND_US, 7 * SECOND_US + 1])


@st.composite
def channels(draw: st.DrawFn, zone: ZoneInfo) -> Channel:
    """A floor of the zone with up to three playlists."""
    found = draw(st.lists(playlists, max_size=3))
    named = tuple(replace(playlist, id=f"p{i}") for i, playlist in enumerate(found))
    return Channel("f", zone, named, draw(maybe_quiet))


@settings(max_examples=60, deadline=None)
@given(st.data(), cut_windows(most_hours=20), crossfades)
def test_the_programme_does_not_depend_on_the_window(data: st.DataObject, window: Window, fade: int) -> None:
    zone, start, cut, end = window
    channel = data.draw(channels(zone))
    whole = programme(channel, "s", start, end, crossfade_us=fade)
    first = programme(channel, "s", start, cut, crossfade_us=fade)
    second = programme(channel, "s", cut, end, crossfade_us=fade)
    assert sorted({*first, *second}, key=lambda s: (s.start, s.end)) == list(whole)
    assert programme(channel, "s", start, end, crossfade_us=fade) == whole


@settings(max_examples=60, deadline=None)
@given(st.data(), cut_windows(most_hours=20), crossfades)
def test_what_sounds_is_in_order_and_in_its_hours(data: st.DataObject, window: Window, fade: int) -> None:
    zone, start, _, end = window
    channel = data.draw(channels(zone))
    segments = programme(channel, "s", start, end, crossfade_us=fade)
    quiet = quiet_spans(channel.quiet, zone, start - DAY_US, end + DAY_US)
    for segment in segments:
        assert segment.start < segment.end
        assert segment.fade_in_us + segment.fade_out_us <= segment.end - segment.start
        assert not any(q.start < segment.end and segment.start < q.end for q in quiet)
    for a, b in pairwise(segments):
        shared = a.end - b.start
        assert shared <= 0 or shared == a.fade_out_us == b.fade_in_us <= fade
        assert not (shared > 0 and Kind.ANNOUNCEMENT in (a.kind, b.kind))
        if (a.kind, b.kind) == (Kind.ANNOUNCEMENT, Kind.ANNOUNCEMENT):
            parts = [p for d in local_days(zone, a.start, b.end) for p in day_parts(channel, d)]
            silent = any(p.playlist is None and a.end <= p.start < b.start for p in parts)
            owner = next(p for p in channel.playlists if p.id == b.playlist_id)
            assert silent or not owner.music or b.start == local_days(zone, b.start, b.end)[0].start


@settings(max_examples=60, deadline=None)
@given(st.data(), cut_windows(most_hours=20), crossfades)
def test_the_shop_is_silent_only_by_rule(data: st.DataObject, window: Window, fade: int) -> None:
    zone, start, _, end = window
    channel = data.draw(channels(zone))
    segments = programme(channel, "s", start, end, crossfade_us=fade)
    for day in local_days(zone, start, end):
        for part in day_parts(channel, day):
            if part.playlist is None or not part.playlist.music:
                continue
            at = max(part.start, start)
            if at >= min(part.end, end):
                continue
            heard = max((s.end for s in segments if s.start <= at), default=at)
            for segment in segments:
                if at <= segment.start < min(part.end, end):
                    assert segment.start <= heard
                    heard = segment.end
            assert heard >= min(part.end, end) - LEAST_SOUND_US


@settings(max_examples=40, deadline=None)
@given(zones, any_day, st.lists(st.integers(20, 400), min_size=1, max_size=8), crossfades, st.booleans())
def test_a_day_is_made_of_whole_bags(
    zone: ZoneInfo, day: int, tracks: list[int], fade: int, shuffle: bool
) -> None:
    channel = Channel("f", zone, (Playlist("p", music(*tracks), shuffle_music=shuffle),))
    start, end = midnight(zone, day), midnight(zone, day + 1)
    if start == end:
        return
    heard = [s.item_id for s in programme(channel, "s", start, end, crossfade_us=fade) if s.start >= start]
    evening = 3 + 2 * 400 // min(tracks)  # the last ones avoid what the next day begins with
    n = len(tracks)
    for i in range(0, len(heard) - evening - n, n):
        assert len(set(heard[i : i + n])) == n
    if n > 1:
        assert all(a != b for a, b in pairwise(heard))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(date(2024, 1, 1).toordinal(), date(2030, 1, 1).toordinal()),
    st.integers(3, 7),
    st.text(max_size=3),
)
def test_no_track_follows_itself_over_midnight(day: int, count: int, seed: str) -> None:
    channel = Channel("f", LONDON, (Playlist("p", music(*range(100, 100 + count)), spoken(10)),))
    at = midnight(LONDON, day)
    around = programme(channel, seed, at - HOUR_US, at + HOUR_US)
    before = [s.item_id for s in around if s.start < at and s.kind is Kind.MUSIC]
    after = [s.item_id for s in around if s.start >= at and s.kind is Kind.MUSIC]
    assert before[-1] != after[0]


def test_a_list_longer_than_the_day_goes_on_the_next_day() -> None:
    tracks = music(*(150 + i % 130 for i in range(500)))
    closed = QuietHours(time(18), time(8))
    heard: list[str] = []
    for shuffle in (True, False):
        channel = Channel("f", LONDON, (Playlist("p", tracks, spoken(15), shuffle_music=shuffle),), closed)
        for day in range(3):
            start = to_us(datetime(2026, 6, 9 + day, tzinfo=UTC))
            segments = programme(channel, "s", start, start + DAY_US)
            heard += [s.item_id for s in segments if s.kind is Kind.MUSIC]
    counts = Counter(heard)
    assert len(counts) > 490
    assert max(counts.values()) <= 4  # two lists, each heard at most once and a bit


def test_a_tracks_interval_is_kept_while_another_is_free() -> None:
    rare = MusicItem("rare", "sha", 100 * SECOND_US, HOUR_US)
    channel = Channel("f", LONDON, (Playlist("p", (*music(200, 210, 220), rare)),))
    start = to_us(datetime(2026, 6, 10, tzinfo=UTC))
    starts = [s.start for s in programme(channel, "s", start, start + 12 * HOUR_US) if s.item_id == "rare"]
    assert len(starts) >= 8
    assert all(b - a >= HOUR_US for a, b in pairwise(starts))


def test_an_announcement_comes_about_as_often_as_asked_and_never_early() -> None:
    channel = Channel("f", LONDON, (Playlist("p", music(200, 210, 220), spoken(15, 20, 25, every=20)),))
    start = midnight(LONDON, date(2026, 6, 10).toordinal())
    segments = [
        s for s in programme(channel, "s", start, start + 12 * HOUR_US) if s.kind is Kind.ANNOUNCEMENT
    ]
    counts = Counter(s.item_id for s in segments)
    assert set(counts) == {"n0", "n1", "n2"}
    assert all(34 <= count <= 36 for count in counts.values())
    assert all((s.start - start) % (20 * MINUTE_US) < 3 * 240 * SECOND_US for s in segments)


def test_a_change_is_heard_at_the_next_boundary() -> None:
    old = Channel("f", LONDON, (Playlist("p", music(200, 210, 220)),))
    new = Channel("f", LONDON, (Playlist("p", music(200, 210, 220, 500)),))
    now = to_us(datetime(2026, 6, 10, 14, 7, 13, tzinfo=UTC))
    before = programme(old, "s", now, now + HOUR_US)
    anchor = takes_effect(before, now)
    assert anchor == sounding(before, now)[-1].end
    after = programme(new, "s", now, now + HOUR_US, anchor=anchor)
    assert after[0].start == anchor
    assert programme(new, "s", now + MINUTE_US, now + HOUR_US, anchor=anchor) == after
    assert takes_effect((), now) == now


def test_one_segment_or_a_cross_fade_holds_every_instant() -> None:
    channel = Channel("f", LONDON, (Playlist("p", music(200, 210, 220)),))
    now = to_us(datetime(2026, 6, 10, 14, tzinfo=UTC))
    for second in range(0, 600, 3):
        at = now + second * SECOND_US
        held = sounding(programme(channel, "s", at, at + 1), at)
        assert 1 <= len(held) <= 2
        assert all(0 <= s.position(at) < s.end - s.start for s in held)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MusicItem("m", "sha", 0),
        lambda: MusicItem("m", "sha", -1),
        lambda: AnnouncementItem("n", "sha", 0),
        lambda: AnnouncementItem("n", "sha", 5, 0),
        lambda: Playlist("p", music(5) + music(6)),
        lambda: Playlist("p", default_announcement_interval_us=0),
        lambda: programme(Channel("f", LONDON), "s", 0, 1, crossfade_us=-1),
    ],
)
def test_nonsense_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=r"\w"):
        make()


instants = st.integers(0, 200).map(lambda n: n * SECOND_US)
silences = st.lists(st.tuples(instants, instants).map(lambda pair: Span(min(pair), max(pair))), max_size=4)


@given(silences)
def test_a_stop_hides_the_timeline_and_moves_nothing(silent: list[Span]) -> None:
    segments = (
        Segment(0, 60 * SECOND_US, Kind.MUSIC, "a", "a", "p", fade_out_us=2 * SECOND_US),
        Segment(58 * SECOND_US, 110 * SECOND_US, Kind.MUSIC, "b", "b", "p", fade_in_us=2 * SECOND_US),
        Segment(110 * SECOND_US, 130 * SECOND_US, Kind.ANNOUNCEMENT, "n", "n", "p"),
        Segment(130 * SECOND_US, 200 * SECOND_US, Kind.MUSIC, "c", "c", "p"),
    )
    heard = masked(segments, silent)
    for at in range(500_000, 200 * SECOND_US, SECOND_US):
        stopped = any(span.start <= at < span.end for span in silent)
        expected = [] if stopped else [(s.item_id, s.position(at)) for s in sounding(segments, at)]
        found = [(s.item_id, s.position(at)) for s in sounding(heard, at)]
        if any(s.start < 130 * SECOND_US and s.end > 110 * SECOND_US for s in silent if s.start < s.end):
            expected = [pair for pair in expected if pair[0] != "n"]
        assert found == expected
