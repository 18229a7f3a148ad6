"""One revision follows another: what is heard, whatever the window."""

from __future__ import annotations

from datetime import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playlists.content import (
    Content,
    Revision,
    Sound,
    announcements,
    asset_of,
    decoded,
    joined,
    segment_id,
    sound_of,
    told,
)
from playlists.domain import (
    DEFAULT_CROSSFADE_US,
    AnnouncementItem,
    Kind,
    MusicItem,
    Playlist,
    Segment,
    sounding,
    takes_effect,
)
from playlists.tests.support import HOUR, MINUTE, NOON_US, SECOND
from zones.domain import QuietHours

FLOOR = 7


def content(
    first: int, number: int, *, zone: str = "Europe/London", quiet: QuietHours | None = None
) -> Content:
    """A playlist of tracks from number `first` on, and an announcement every 15 minutes."""
    music = tuple(
        MusicItem(str(pk), asset_of(Sound(pk, f"{pk:064x}")), (120 + 7 * (pk % 20)) * SECOND, order=pk)
        for pk in range(first, first + number)
    )
    spoken = AnnouncementItem(str(first + 900), asset_of(Sound(first + 900, "a" * 64)), 12 * SECOND)
    return Content(zone, quiet, (Playlist(str(first), music, (spoken,)),))


FULL = Content(
    "America/New_York",
    QuietHours(time(22), time(6, 30)),
    (
        Playlist(
            "3",
            (MusicItem("1", "5/ab", SECOND, interval_us=MINUTE, order=4),),
            (AnnouncementItem("2", "6/cd", SECOND, valid_from=1, valid_until=2),),
            shuffle_music=False,
            shuffle_announcements=True,
            quiet=QuietHours(time(1), time(2), frozenset({1, 7})),
            enabled=False,
            priority=-3,
        ),
        Playlist("4"),
    ),
)


def test_a_content_survives_being_stored() -> None:
    assert decoded(FULL.encoded()) == FULL
    assert decoded(FULL.encoded()).encoded() == FULL.encoded()


@pytest.mark.parametrize(
    ("given", "announces"),
    [(FULL, False), (content(1, 2), True), (Content("UTC", None, ()), False)],
)
def test_whether_there_is_anything_to_announce(given: Content, announces: bool) -> None:
    assert given.announces is announces


def test_a_segment_is_named_by_what_it_plays_and_when() -> None:
    segment = Segment(5, 9, Kind.MUSIC, "1", asset_of(Sound(17, "ab12")), "3")
    assert sound_of(segment) == Sound(17, "ab12")
    assert segment_id(segment) == "music-17-5"


def test_a_day_names_each_segment_once() -> None:
    day = told(FLOOR, Revision(NOON_US, content(1, 3).encoded()), NOON_US, NOON_US + 24 * HOUR)
    assert len({segment_id(segment) for segment in day}) == len(day) > 300


def changed_at(now: int) -> tuple[list[Revision], int]:
    """Two revisions, the second made at `now`."""
    old = Revision(NOON_US, content(1, 40).encoded())
    effective = takes_effect(joined(FLOOR, [old], now, now + 1), now)
    return [old, Revision(effective, content(100, 40).encoded())], effective


@given(st.integers(0, 8 * HOUR), st.integers(-HOUR, 8 * HOUR), st.integers(1, 3 * HOUR))
@settings(max_examples=60, deadline=None)
def test_a_change_cuts_nothing_and_leaves_no_gap(after: int, start: int, length: int) -> None:
    now = NOON_US + after
    revisions, effective = changed_at(now)
    whole = joined(FLOOR, revisions, NOON_US, NOON_US + 12 * HOUR)
    assert all(int(segment.playlist_id) == (1 if segment.start < effective else 100) for segment in whole)
    # What sounded at the change sounds to its end, and there the new rows begin.
    before = joined(FLOOR, revisions[:1], now, now + 1)
    assert sounding(whole, now) == sounding(before, now)
    assert any(segment.start == effective for segment in whole)
    # One after the other, overlapping by the cross fade at most.
    for earlier, later in pairwise(whole):
        assert earlier.end - DEFAULT_CROSSFADE_US <= later.start <= earlier.end
    # Any window shows the same.
    window = joined(FLOOR, revisions, NOON_US + start, NOON_US + start + length)
    assert window == tuple(
        segment
        for segment in joined(FLOOR, revisions, NOON_US - HOUR, NOON_US + 12 * HOUR)
        if segment.start < NOON_US + start + length and NOON_US + start < segment.end
    )


def test_the_newest_overrules_all_that_were_made_before() -> None:
    first = Revision(NOON_US, content(1, 5).encoded())
    waiting = Revision(NOON_US + 2 * HOUR, content(100, 5).encoded())
    at_once = Revision(NOON_US + HOUR, content(200, 5).encoded())  # made after `waiting`, in force before it
    heard = joined(FLOOR, [first, waiting, at_once], NOON_US, NOON_US + 4 * HOUR)
    assert {segment.playlist_id for segment in heard} == {"1", "200"}
    assert all(segment.end <= NOON_US + HOUR for segment in heard if segment.playlist_id == "1")
    assert min(segment.start for segment in heard if segment.playlist_id == "200") == NOON_US + HOUR


def test_without_revisions_there_is_silence() -> None:
    assert joined(FLOOR, [], NOON_US, NOON_US + HOUR) == ()


def test_two_floors_have_two_timelines() -> None:
    revision = Revision(NOON_US, content(1, 40).encoded())
    one, other = (told(floor, revision, NOON_US, NOON_US + HOUR) for floor in (1, 2))
    assert [segment.item_id for segment in one] != [segment.item_id for segment in other]


def test_announcements_come_every_quarter_of_an_hour() -> None:
    day = told(FLOOR, Revision(NOON_US, content(1, 40).encoded()), NOON_US, NOON_US + 4 * HOUR)
    spoken = announcements(day)
    assert {segment.kind for segment in spoken} == {Kind.ANNOUNCEMENT}
    assert len(spoken) == 15  # the first at a quarter past, the last before four
