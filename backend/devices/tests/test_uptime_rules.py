"""How much of the time counts, and how much of it a speaker was away: against the same counted second by second."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.domain.uptime import edges_of, uptime_of
from zones.domain import Span, to_us, union

MOST = 60
spans = st.lists(
    st.tuples(st.integers(0, MOST), st.integers(0, MOST)).map(lambda pair: Span(*pair)), max_size=6
)
edges = st.lists(st.integers(0, MOST), min_size=1, max_size=6).map(sorted)


def ticks(some: list[Span]) -> set[int]:
    """The units of time that lie in any of them."""
    return {at for span in some for at in range(span.start, span.end)}


@given(heard=spans, outages=spans, edges=edges)
def test_every_unit_of_time_counts_once(heard: list[Span], outages: list[Span], edges: list[int]) -> None:
    apart = union(outages)
    found = uptime_of(union(heard), apart, edges)
    counted = ticks(heard) & set(range(edges[0], edges[-1]))
    away = [counted & ticks([outage]) for outage in apart]
    assert found.counted == len(counted)
    assert found.away == len(set().union(*away))
    assert found.outages == sum(1 for each in away if each)
    assert found.longest == max(map(len, away), default=0)
    assert [sum(column) for column in zip(*found.parts, strict=True)] in ([found.counted, found.away], [])
    for (start, end), (part, part_away) in zip(pairwise(edges), found.parts, strict=True):
        assert part == len(counted & set(range(start, end)))
        assert part_away == len(counted & ticks(list(apart)) & set(range(start, end)))


@pytest.mark.parametrize(
    ("heard", "outages", "share"),
    [
        ([], [Span(0, 50)], None),
        ([Span(0, 100)], [], 1.0),
        ([Span(0, 100)], [Span(0, 100)], 0.0),
        ([Span(0, 100)], [Span(90, 400)], 0.9),
        ([Span(0, 40), Span(60, 100)], [Span(30, 70)], 0.75),  # the server was away in the middle
    ],
)
def test_the_share(heard: list[Span], outages: list[Span], share: float | None) -> None:
    assert uptime_of(heard, outages, (0, 100)).share == share


def at(text: str) -> int:
    """µs of an instant in UTC."""
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "step", "start", "end", "expected"),
    [
        ("UTC", "day", "2026-03-01", "2026-03-03", ["2026-03-01", "2026-03-02", "2026-03-03"]),
        ("UTC", "day", "2026-03-01T05:00", "2026-03-01T06:00", ["2026-03-01T05:00", "2026-03-01T06:00"]),
        (  # a day of 23 hours
            "Europe/Berlin", "day", "2026-03-28T23:00", "2026-03-30T22:00",
            ["2026-03-28T23:00", "2026-03-29T22:00", "2026-03-30T22:00"],
        ),
        (
            "Asia/Kolkata", "hour", "2026-03-01T00:00", "2026-03-01T01:40",
            ["2026-03-01T00:00", "2026-03-01T00:30", "2026-03-01T01:30", "2026-03-01T01:40"],
        ),
        ("UTC", "hour", "2026-03-01", "2026-03-01", ["2026-03-01", "2026-03-01"]),
    ],
)  # fmt: skip
def test_where_parts_begin(zone, step, start, end, expected) -> None:
    assert edges_of(Span(at(start), at(end)), ZoneInfo(zone), step) == tuple(map(at, expected))
