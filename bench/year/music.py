"""A day of music on a floor, and everything that is spoken over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from random import Random

import numpy as np

from playlists.domain import Kind, Segment, programme
from schedules import domain as engine
from schedules.domain import Occurrence
from schedules.domain.tests import vectors
from schedules.domain.tests.vectors import Spec
from year.reference import Wall
from year.shops import MINUTE, SEED, US


def listen(shop: Spec, wall: Wall, rows: Iterable[Occurrence], rng: Random, count: Counter[str]) -> None:
    """The floor's programme and everything spoken over it on one day of the year."""
    place = rng.randrange(5, len(wall.midnights) - 6)
    begin, end = (int(wall.midnights[place + i]) * US for i in (0, 1))
    channel = {"floor_id": str(shop["number"]), "zone": shop["zone"], "quiet": shop["floor"]["quiet"]}
    channel["playlists"] = [_playlist(rng, shop["number"])]
    built = vectors.channel(channel)
    day = programme(built, SEED, begin, end)
    cuts = sorted({begin, end, *(rng.randrange(begin, end) for _ in range(4))})
    pieces = {piece for first, last in pairwise(cuts) for piece in programme(built, SEED, first, last)}
    count["segments"] += len(day)
    count["music_unlike_when_cut"] += pieces != set(day)
    silent = wall.quiet(shop["floor"]["quiet"], np.arange(begin // US, end // US, MINUTE))
    count["music_in_quiet_hours"] += sum(
        bool(silent[(s.start - begin) // US // MINUTE : -(-(s.end - begin) // US // MINUTE)].any())
        for s in day
    )
    audible = _audible(day)
    silences = int(np.count_nonzero(np.diff(silent.astype(int)) == 1)) + 1
    lawful = int(silent.sum()) * MINUTE * US + silences * 3 * US
    count["silent_by_accident_ms"] += max(0, (end - begin) - audible - lawful) // 1000
    claims = [*engine.programme_claims(day, channel["floor_id"], "1")]
    for row in rows:
        if row.due and begin <= row.at < end:
            name = str(engine.occurrence_event_id(row.schedule_id, row.at, "1"))
            length = rng.randint(4, 40) * US
            claims.append(engine.Claim(name, row.priority, row.at, length, row.expires_at))
    plays = engine.resolve(claims, begin)
    by_id = {claim.event_id: claim for claim in claims}
    count["spoken"] += len(plays.plays)
    count["yielded"] += len(plays.losers)
    count["talked_over"] += sum(a.end > b.start for a, b in pairwise(plays.plays))
    count["untold"] += by_id.keys() != {p.event_id for p in plays.plays} | {
        loser.event_id for loser in plays.losers
    }
    count["late"] += sum(
        not by_id[p.event_id].at <= p.start < by_id[p.event_id].expires_at for p in plays.plays
    )


def _playlist(rng: Random, number: int) -> Spec:
    tracks = [
        {"id": f"t{i}", "duration_us": rng.randint(100_000, 320_000) * 1000}
        for i in range(rng.randint(5, 60))
    ]
    spoken = [{"id": f"s{i}", "duration_us": rng.randint(5, 30) * US} for i in range(rng.randint(0, 3))]
    return {"id": f"p{number}", "music": tracks, "announcements": spoken, "shuffle_music": rng.random() < 0.8}


def _audible(segments: Iterable[Segment]) -> int:
    """µs in which anything sounds."""
    total = until = 0
    for segment in sorted(segments, key=_start):
        total += max(0, segment.end - max(segment.start, until))
        until = max(until, segment.end)
    return total


def _start(segment: Segment) -> tuple[int, Kind]:
    return segment.start, segment.kind
