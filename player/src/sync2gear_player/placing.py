"""Where announcements that meet find their place on one speaker: pure geometry of spans, in µs.

The same precedence as the server's planning: emergency > instant > timeline > interval > playlist; of equals the one
due first, then the smaller event id. In that order each is put at the first instant, from its due time on, at which
it fits whole between those placed before. What is in the output's hands already is not disturbed but by an emergency.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sync2gear_player.messages import Priority

RANK: dict[Priority, int] = {"emergency": 0, "instant": 1, "timeline": 2, "interval": 3, "playlist": 4}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What wants a place: not before `earliest`, for `duration_us`, and not from `expires_at` on."""

    event_id: str
    priority: Priority
    due_at: int
    earliest: int
    duration_us: int
    expires_at: int


@dataclass(frozen=True)
class Span:
    """A stretch that is taken."""

    start: int
    end: int
    emergency: bool = False


@dataclass(frozen=True)
class Place:
    """Where a claim stands, and whether it had to give way. From its expiry on it is no place but a loss."""

    start: int
    held: bool


def place(claims: Iterable[Claim], taken: Iterable[Span]) -> dict[str, Place]:
    """The place of each claim by its event id; those that find none before their expiry hold up nobody."""
    places: dict[str, Place] = {}
    spans = list(taken)
    for claim in sorted(claims, key=lambda each: (RANK[each.priority], each.due_at, each.event_id)):
        urgent = claim.priority == "emergency"
        start = claim.earliest
        for span in sorted(spans, key=lambda each: each.start):
            if (span.emergency or not urgent) and span.start < start + claim.duration_us and start < span.end:
                start = span.end
        places[claim.event_id] = Place(start, held=start > claim.earliest)
        if start < claim.expires_at:
            mine = Span(start, start + claim.duration_us, urgent)
            if urgent:
                spans = [_cut(span, start) for span in spans]
            spans.append(mine)
    return places


def _cut(span: Span, at: int) -> Span:
    """What an emergency at `at` leaves of a span that it meets."""
    if span.emergency or not span.start <= at < span.end:
        return span
    return Span(span.start, at)
