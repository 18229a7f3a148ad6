"""Which playlist a floor hears at what time of a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date
from itertools import pairwise
from typing import NamedTuple

from playlists.domain.rows import Channel, Playlist
from zones.domain.quiet import covering, quiet_spans
from zones.domain.wallclock import LocalDay, local_day

PLAIN_MONDAY = date(2024, 1, 1).toordinal()


class Part(NamedTuple):
    """A part of a day, [start, end) in µs UTC, with its playlist; None is silence."""

    start: int
    end: int
    playlist: Playlist | None


def day_parts(channel: Channel, day: LocalDay) -> tuple[Part, ...]:
    """The day without a gap, cut where the playlist changes.

    In the floor's quiet hours there is silence. Otherwise the playlist with the greatest `priority` plays, of
    equals the one with the smallest id, among those that are enabled, not in their own quiet hours and not
    empty (an empty one must not silence the one below it). With none there is silence.
    """
    ranked = sorted(
        (p for p in channel.playlists if p.enabled and (p.music or p.announcements)),
        key=lambda playlist: (-playlist.priority, playlist.id),
    )
    silent = quiet_spans(channel.quiet, channel.zone, day.start, day.end)
    quiet = [(p, quiet_spans(p.quiet, channel.zone, day.start, day.end)) for p in ranked]
    edges = {day.start, day.end}
    edges.update(
        edge for spans in (silent, *(spans for _, spans in quiet)) for span in spans for edge in span
    )
    parts: list[Part] = []
    for start, end in pairwise(sorted(edges)):
        playlist = None
        if covering(silent, start) is None:
            playlist = next((p for p, spans in quiet if covering(spans, start) is None), None)
        if parts and parts[-1].playlist is playlist:
            start = parts.pop().start
        parts.append(Part(start, end, playlist))
    return tuple(parts)


def airtime(parts: Iterable[Part], playlist_id: str) -> int:
    """How long (µs) the playlist is on in these parts."""
    return sum(p.end - p.start for p in parts if p.playlist is not None and p.playlist.id == playlist_id)


def plain_week(channel: Channel) -> tuple[Part, ...]:
    """The parts of a week of seven 24 h days, Monday to Sunday."""
    plain = Channel(channel.floor_id, UTC, channel.playlists, channel.quiet)
    return tuple(part for i in range(7) for part in day_parts(plain, local_day(UTC, PLAIN_MONDAY + i)))
