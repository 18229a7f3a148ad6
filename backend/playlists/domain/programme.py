"""The programme of a floor: music and announcements as one timeline, like a radio station's.

Rules
- A local day's programme is computed from its midnight alone, so any window, anywhere, gives the same
  segments. At midnight a sounding track fades out and the new day begins; neither day knows the other, except
  that the evening's last tracks avoid the one that the new day begins with.
- The floor's quiet hours, and times for which no playlist is on, are silence: what sounds is faded out so
  that it ends at the edge, and afterwards a track begins at its beginning. A change from one playlist to the
  next cuts nothing: the track ends first.
- Announcements stand between tracks, one at a time (without music, one after the other); they are neither cut
  nor cross faded, and start only if they end before the next silence or midnight.
- Tracks overlap by the cross fade, at most half of the shorter one; with 0 they join without a gap. A track
  that would sound for less than 3 s before a cut is not begun.

Times are µs UTC, windows half-open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from playlists.domain.dayparts import Part, airtime, day_parts, plain_week
from playlists.domain.decks import Deck, Library, entry, overlap
from playlists.domain.rows import AnnouncementItem, Channel, Kind, MusicItem, Playlist, Segment
from zones.domain.wallclock import SECOND_US, LocalDay, local_day, local_days

DEFAULT_CROSSFADE_US = 2 * SECOND_US
CUT_FADE_US = 2 * SECOND_US
LEAST_SOUND_US = 3 * SECOND_US


def programme(
    channel: Channel,
    seed: str,
    start: int,
    end: int,
    *,
    crossfade_us: int = DEFAULT_CROSSFADE_US,
    anchor: int | None = None,
) -> tuple[Segment, ...]:
    """The segments that sound in [start, end), whole, in order of their start.

    `anchor`: the instant at which these rows took effect, for a change in the middle of a day: the timeline
    begins there instead of at that day's midnight, and nothing before it is told. `takes_effect` gives it.
    Raises ValueError for a negative cross fade.
    """
    if crossfade_us < 0:
        raise ValueError("a cross fade is not negative")
    begin = start if anchor is None else max(start, anchor)
    studio = _Studio(channel, seed, crossfade_us)
    return tuple(
        segment
        for day in local_days(channel.zone, begin, end)
        for segment in _Walk(studio, day, max(day.start, anchor or day.start), end).segments()
        if segment.end > start
    )


def sounding(segments: Iterable[Segment], at: int) -> tuple[Segment, ...]:
    """The segments that hold the instant `at`: none in silence, two inside a cross fade."""
    return tuple(segment for segment in segments if segment.start <= at < segment.end)


def takes_effect(segments: Iterable[Segment], now: int) -> int:
    """When a change made at `now` is heard: at the next boundary of the old programme, at once in silence.

    It is the end of the latest segment that holds `now`. Give it to the new rows' `programme` as anchor, and
    keep the old segments up to it.
    """
    return max((segment.end for segment in sounding(segments, now)), default=now)


class _Studio:
    """One floor's rows, with what several days share."""

    def __init__(self, channel: Channel, seed: str, crossfade: int) -> None:
        self.crossfade = crossfade
        self._channel, self._seed = channel, seed
        self._week = plain_week(channel)

    def parts(self, day: LocalDay) -> tuple[Part, ...]:
        """The day's parts."""
        return day_parts(self._channel, day)

    def deck(self, playlist: Playlist, day: LocalDay, parts: Iterable[Part], begin: int) -> Deck:
        """The playlist's fresh deck for a walk over `day` that starts at `begin`."""
        library = Library(playlist, self._seed, f"{self._channel.floor_id}/{playlist.id}")
        if not playlist.music:
            return Deck(library, None, day.start)
        usual = airtime(self._week, playlist.id) // 7
        gone = (Part(p.start, min(p.end, begin), p.playlist) for p in parts if p.start < begin)
        where = entry(library, day.ordinal, usual, airtime(gone, playlist.id), self.crossfade)
        return Deck(library, where, day.start)

    def morning(self, day: LocalDay) -> tuple[str, str] | None:
        """The playlist and the track with which the next day begins at its midnight; None for neither."""
        tomorrow = local_day(self._channel.zone, day.ordinal + 1)
        parts = self.parts(tomorrow)
        if not parts or parts[0].playlist is None:
            return None
        track = self.deck(parts[0].playlist, tomorrow, parts, tomorrow.start).first_track()
        return None if track is None else (parts[0].playlist.id, track.id)


class _Walk:
    """One pass over a day, from boundary to boundary; `segments` gives those that start before `end`."""

    def __init__(self, studio: _Studio, day: LocalDay, begin: int, end: int) -> None:
        self._studio, self._day, self._begin, self._end = studio, day, begin, end
        self._parts = studio.parts(day)
        self._decks: dict[str, Deck] = {}
        self._tail: tuple[Segment, int] | None = None  # the last track, until its fade out is known

    def segments(self) -> Iterator[Segment]:
        ready, part, on_air, spoke = self._begin, 0, "", False
        while ready < self._day.end and not self._told(ready):
            while self._parts[part].end <= ready:
                part += 1
            playlist = self._parts[part].playlist
            if playlist is None:
                yield from self._flush()
                ready, on_air = self._parts[part].end, ""
                continue
            deck = self._deck(playlist)
            if on_air != playlist.id:
                deck.come_on(ready)
                on_air = playlist.id
            limit = self._next_silence(part)
            item = None if spoke and playlist.music else deck.take_announcement(ready, limit)
            if item is not None:
                yield from self._flush()
                if ready < self._end:
                    yield _spoken(item, playlist, ready)
                ready, spoke = ready + item.duration_us, True
            elif not playlist.music:
                yield from self._flush()
                due = deck.next_due(ready)
                ready = self._parts[part].end if due is None else min(due, self._parts[part].end)
            elif limit - ready < LEAST_SOUND_US:
                yield from self._flush()
                ready = limit
            else:
                track = deck.take_track(ready, self._avoid(playlist, ready, limit))
                shared = min(self._tail[1], overlap(track, self._studio.crossfade)) if self._tail else 0
                yield from self._flush(shared)
                segment = _played(track, playlist, ready - shared, limit, shared)
                self._tail = segment, overlap(track, self._studio.crossfade)
                ready, spoke = segment.end, False
        yield from self._flush()

    def _told(self, ready: int) -> bool:
        """Is all told that starts before the window's end?"""
        return (ready if self._tail is None else self._tail[0].start) >= self._end

    def _flush(self, fade_out: int = 0) -> Iterator[Segment]:
        if self._tail is not None:
            segment, _ = self._tail
            self._tail = None
            if segment.start < self._end:
                yield replace(segment, fade_out_us=fade_out) if fade_out else segment

    def _deck(self, playlist: Playlist) -> Deck:
        deck = self._decks.get(playlist.id)
        if deck is None:
            deck = self._studio.deck(playlist, self._day, self._parts, self._begin)
            self._decks[playlist.id] = deck
        return deck

    def _next_silence(self, part: int) -> int:
        return next((p.start for p in self._parts[part:] if p.playlist is None), self._day.end)

    def _avoid(self, playlist: Playlist, ready: int, limit: int) -> str | None:
        """The next day's first track, where the track that starts now might be this day's last."""
        if limit < self._day.end or ready + 2 * _longest(playlist) < limit:
            return None
        morning = self._studio.morning(self._day)
        return morning[1] if morning is not None and morning[0] == playlist.id else None


def _longest(playlist: Playlist) -> int:
    music = [track.duration_us for track in playlist.music]
    return max(music + [spoken.duration_us for spoken in playlist.announcements])


def _played(track: MusicItem, playlist: Playlist, start: int, limit: int, fade_in: int) -> Segment:
    """The track's segment, cut with a fade if it would run past `limit`."""
    end = min(start + track.duration_us, limit)
    fade_out = min(CUT_FADE_US, (end - start) // 2) if end < start + track.duration_us else 0
    return Segment(
        start, end, Kind.MUSIC, track.id, track.asset, playlist.id, fade_in_us=fade_in, fade_out_us=fade_out
    )


def _spoken(item: AnnouncementItem, playlist: Playlist, start: int) -> Segment:
    return Segment(start, start + item.duration_us, Kind.ANNOUNCEMENT, item.id, item.asset, playlist.id)
