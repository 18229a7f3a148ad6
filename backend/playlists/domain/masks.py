"""What a stop does to a programme: the timeline runs on underneath, unheard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from playlists.domain.rows import Kind, Segment
from zones.domain.quiet import Span, gaps, union

STOP_FADE_US = 500_000


def masked(segments: Iterable[Segment], silent: Sequence[Span]) -> tuple[Segment, ...]:
    """The segments without what lies in the spans of `silent` (a floor's stop, a locked client).

    Music fades out (0.5 s, at most half of what is left) so that it ends at the edge, and fades in at its
    timeline position when the span is over. An announcement that would be cut is left out whole: half a
    sentence is worth nothing.
    """
    spans = union(silent)
    heard: list[Segment] = []
    for segment in segments:
        for free in gaps(
            [s for s in spans if s.start < segment.end and segment.start < s.end], *_ends(segment)
        ):
            if free == Span(segment.start, segment.end):
                heard.append(segment)
            elif segment.kind is Kind.MUSIC:
                heard.append(_part(segment, free))
    return tuple(heard)


def _ends(segment: Segment) -> tuple[int, int]:
    return segment.start, segment.end


def _part(segment: Segment, free: Span) -> Segment:
    fade = min(STOP_FADE_US, (free.end - free.start) // 2)
    return replace(
        segment,
        start=free.start,
        end=free.end,
        offset_us=segment.position(free.start),
        fade_in_us=segment.fade_in_us if free.start == segment.start else fade,
        fade_out_us=segment.fade_out_us if free.end == segment.end else fade,
    )
