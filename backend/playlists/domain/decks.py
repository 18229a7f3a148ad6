"""What a playlist plays next: tracks from bags or in order, and announcements as they come due.

A deck is the state of one playlist on one floor during one walk over a local day; it lives no longer than the
call that computes a programme.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playlists.domain.bags import bag, digest
from playlists.domain.dayparts import PLAIN_MONDAY
from playlists.domain.rows import AnnouncementItem, MusicItem, Playlist


def overlap(item: MusicItem, crossfade: int) -> int:
    """How much of the track's end another track may cover: the cross fade, at most half of the track."""
    return min(crossfade, item.duration_us // 2)


@dataclass(frozen=True, slots=True)
class Library:
    """A playlist's tracks as an endless sequence of bags: number and order are pure functions.

    `key` names the playlist on its floor, so that two floors have two independent sequences.
    """

    playlist: Playlist
    seed: str
    key: str

    def bag(self, number: int) -> Iterator[MusicItem]:
        """The tracks of bag `number`; without shuffle every bag has the order of the list."""
        items = {item.id: item for item in self.playlist.music}
        if self.playlist.shuffle_music:
            order: Sequence[str] = bag(self.seed, self.key, number, tuple(sorted(items)))
        else:
            order = sorted(items, key=lambda name: (items[name].order, name))
        return (items[name] for name in order)


@dataclass(frozen=True, slots=True)
class Entry:
    """Where in the sequence of bags a day begins: bag `number`, after its first `passed` tracks."""

    number: int
    passed: int


def entry(library: Library, ordinal: int, airtime: int, aired: int, crossfade: int) -> Entry:
    """Where the local day `ordinal` enters the sequence of bags.

    `airtime`: how long (µs) the playlist is on in a plain day, on average of a week. `aired`: how long it has
    been on today before the walk begins (nought at midnight). A bag lasts the sum of its tracks without their
    overlaps. There are two cases:

    - A bag fits into a day's airtime: the day begins with a bag of its own, numbers (days since 2024-01-01) ·
      (bags in a day + 2) and on; after `aired`, with the next bag that would begin.
    - It does not: bags run on over the days, or the end of a long list would never be heard. Each day is
      given a stretch of the sequence as long as the airtime and one longest track, and begins with the first
      track that starts in it. Announcements and cuts let a day play a little less than its stretch: a track
      or two at its end is passed over until the next bag, none comes twice (but for a day that is on longer
      than usual, as the 25 h day is: what it plays beyond its stretch, the next day begins with).
    """
    paces = {item.id: item.duration_us - overlap(item, crossfade) for item in library.playlist.music}
    length = sum(paces.values())
    days = ordinal - PLAIN_MONDAY
    if length <= airtime:
        return Entry(days * (airtime // length + 2) - (-aired // length), 0)
    longest = max(item.duration_us for item in library.playlist.music)
    number, rest = divmod(days * (airtime + longest) + aired, length)
    start = 0
    for passed, item in enumerate(library.bag(number)):
        if start >= rest:
            return Entry(number, passed)
        start += paces[item.id]
    return Entry(number + 1, 0)


class Deck:
    """One playlist while a day is walked: what is waiting in the bag, what started when, what is due when."""

    __slots__ = ("_due", "_free_at", "_grid", "_last", "_library", "_number", "_waiting", "playlist")

    def __init__(self, library: Library, begin: Entry | None, midnight: int) -> None:
        self.playlist = library.playlist
        self._library = library
        self._grid = midnight
        self._free_at: dict[str, int] = {}
        self._last: str | None = None
        self._due: dict[str, int] = {}
        self._number = begin.number if begin else 0
        self._waiting = list(library.bag(self._number))[begin.passed :] if begin else []

    def first_track(self) -> MusicItem | None:
        """The track that a fresh deck plays first."""
        return self._waiting[0] if self._waiting else None

    def take_track(self, at: int, avoid: str | None) -> MusicItem:
        """The track that starts at `at`; the playlist has music.

        The first waiting one that is free: not the last one played, its interval over, and not `avoid`. If
        the bag has none, the next bag is opened behind it. If no track at all is free, the first waiting one
        that is neither the last one played nor `avoid`, else not the last one played; a single track follows
        itself.
        """
        chosen = self._first_free(at, avoid)
        if chosen is None:
            waiting = {item.id for item in self._waiting}
            self._number += 1
            self._waiting += [item for item in self._library.bag(self._number) if item.id not in waiting]
            chosen = self._first_free(at, avoid)
        if chosen is None:
            rest = [self._first_but({self._last, avoid}), self._first_but({self._last}), 0]
            chosen = next(i for i in rest if i is not None)
        item = self._waiting.pop(chosen)
        interval = self.playlist.default_music_interval_us if item.interval_us is None else item.interval_us
        self._free_at[item.id] = at + interval
        self._last = item.id
        return item

    def _first_free(self, at: int, avoid: str | None) -> int | None:
        for i, item in enumerate(self._waiting):
            if item.id not in (self._last, avoid) and self._free_at.get(item.id, at) <= at:
                return i
        return None

    def _first_but(self, shunned: set[str | None]) -> int | None:
        return next((i for i, item in enumerate(self._waiting) if item.id not in shunned), None)

    def come_on(self, at: int) -> None:
        """The playlist begins, or begins again, at `at`: what came due before is not made up for."""
        self._due = {item.id: self._next_due(item, at) for item in self.playlist.announcements}

    def take_announcement(self, at: int, limit: int) -> AnnouncementItem | None:
        """The announcement to play at `at`, if one is due, valid and ends by `limit`.

        Announcements come due on the grid midnight + k · interval, in elapsed time; several grid points that
        pass while one waits count once. Who has waited longest is first, of equals the lesser `order` and id,
        or with `shuffle_announcements` the lesser digest of seed, floor, playlist, due instant and id.
        """
        if not self._due or min(self._due.values()) > at:
            return None
        fitting = [
            item
            for item in self.playlist.announcements
            if self._due[item.id] <= at and at + item.duration_us <= limit and item.valid_at(at)
        ]
        if not fitting:
            return None
        item = min(fitting, key=self._turn)
        self._due[item.id] = self._next_due(item, at)
        return item

    def next_due(self, after: int) -> int | None:
        """The first instant later than `after` at which an announcement comes due."""
        return min((self._next_due(item, after) for item in self.playlist.announcements), default=None)

    def _next_due(self, item: AnnouncementItem, after: int) -> int:
        interval = item.interval_us or self.playlist.default_announcement_interval_us
        return self._grid + ((after - self._grid) // interval + 1) * interval

    def _turn(self, item: AnnouncementItem) -> tuple[int, bytes, int, str]:
        due = self._due[item.id]
        lot = b""
        if self.playlist.shuffle_announcements:
            lot = digest("turn", self._library.seed, self._library.key, due, item.id)
        return due, lot, item.order, item.id
