"""What was heard, by what a device said when."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.domain.hearing import (
    BREAK_US,
    SLACK_US,
    Reported,
    Silence,
    Stretch,
    Track,
    believed,
    hear,
)

S = 1_000_000
A = Track("a", 0, 180 * S)
B = Track("b", 178 * S, 358 * S)
LOOSE = Track("loose")
NOTHING, COVERED = Silence.NOTHING, Silence.COVERED

Said = Track | Silence


def log(reports: Iterable[tuple[int, Said]]) -> list[tuple[str, int, int, bool]]:
    """(segment, began s, last s, open) of every stretch, after reports of (second, what was said)."""
    past: list[Stretch] = []
    last: Stretch | None = None
    for second, said in reports:
        last, begun = hear(last, said, second * S)
        if begun is not None:
            past += [last] if last is not None else []
            last = begun
    past += [last] if last is not None else []
    return [(one.track.segment, one.began // S, one.last // S, one.open) for one in past]


CASES: dict[str, tuple[list[tuple[int, Said]], list[tuple[str, int, int, bool]]]] = {
    "nothing sounds": ([(0, NOTHING), (15, COVERED)], []),
    "one report proves an instant": ([(10, A)], [("a", 10, 10, True)]),
    "reports every 15 s": ([(10, A), (25, A), (40, A)], [("a", 10, 40, True)]),
    "stopped": ([(10, A), (25, A), (30, NOTHING)], [("a", 10, 30, False)]),
    "the turn is where the timeline says": (
        [(165, A), (180, B), (195, B)],
        [("a", 165, 178, False), ("b", 178, 195, True)],
    ),
    "a turn that lies before the last report is now": (
        [(165, A), (179, A), (180, B)],
        [("a", 165, 180, False), ("b", 180, 180, True)],
    ),
    "a track whose start is unknown": (
        [(10, LOOSE), (25, LOOSE), (30, A)],
        [("loose", 10, 30, False), ("a", 30, 30, True)],
    ),
    "under an announcement the music goes on": (
        [(10, A), (20, COVERED), (30, A)],
        [("a", 10, 30, True)],
    ),
    "an announcement between two tracks is not the first one's": (
        [(170, A), (185, COVERED), (195, Track("c", 195 * S, 300 * S))],
        [("a", 170, 180, False), ("c", 195, 195, True)],
    ),
    "no track lasts longer than it is long": ([(170, A), (190, A), (210, A)], [("a", 170, 180, True)]),
    "a device that was away is not believed to have played": (
        [(10, A), (25, A), (25 + 46, A), (86, A)],
        [("a", 10, 25, False), ("a", 71, 86, True)],
    ),
    "away, and then silent": ([(10, A), (25, A), (100, NOTHING)], [("a", 10, 25, False)]),
    "away, and then an announcement": ([(10, A), (25, A), (100, COVERED)], [("a", 10, 25, False)]),
    "just within the lease": ([(10, A), (55, A)], [("a", 10, 55, True)]),
    "paused and gone on": (
        [(10, A), (20, NOTHING), (50, A), (60, A)],
        [("a", 10, 20, False), ("a", 50, 60, True)],
    ),
    "an older report": ([(10, A), (25, A), (20, NOTHING), (12, B)], [("a", 10, 25, True)]),
    "the same report twice": ([(10, A), (10, A), (25, A), (25, A)], [("a", 10, 25, True)]),
    "silence twice": ([(10, A), (20, NOTHING), (20, NOTHING)], [("a", 10, 20, False)]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_was_heard(case: str) -> None:
    reports, expected = CASES[case]
    assert log(reports) == expected


SAID: st.SearchStrategy[Said] = st.sampled_from([A, B, LOOSE, NOTHING, COVERED])


@given(st.lists(st.tuples(st.integers(0, 400), SAID), max_size=30))
def test_never_twice_at_once_and_never_longer_than_the_reports(reports: list[tuple[int, Said]]) -> None:
    stretches = log(reports)
    for (_, began, last, is_open), (_, following, _, _) in pairwise(stretches):
        assert began <= last <= following
        assert not is_open
    if stretches:
        assert sum(last - began for _, began, last, _ in stretches) <= max(at for at, _ in reports)


@given(st.lists(st.tuples(st.integers(0, 400), SAID), max_size=30))
def test_a_batch_that_is_handed_in_again_changes_nothing(reports: list[tuple[int, Said]]) -> None:
    in_order = sorted(reports, key=lambda report: report[0])
    last: Stretch | None = None
    for second, said in in_order:
        was, begun = hear(last, said, second * S)
        last = begun or was
    if in_order and last is not None:
        second, said = in_order[-1]
        assert hear(last, said, second * S) == (last, None)


def test_the_break_is_the_lease() -> None:
    assert BREAK_US == 45 * S


# --- a device's own reports -------------------------------------------------------------------------------

KNOWN, LENGTH, ARRIVED = 1000 * S, 180 * S, 5000 * S


@pytest.mark.parametrize(
    ("said", "span"),
    [
        (Reported(2000, 2180, 180), (2000, 2180)),
        (Reported(2000, 2180, 100), (2000, 2100)),
        (Reported(2000, 2100, 180), (2000, 2100)),
        (Reported(2000, 2900, 900), (2000, 2180)),
        (Reported(2000, 2000, 180), (2000, 2000)),
        (Reported(701, 880, 179), (701, 880)),
        (Reported(699, 879, 180), (4820, 5000)),
        (Reported(5120, 5300, 180), (5120, 5300)),
        (Reported(5122, 5302, 180), (4820, 5000)),
        (Reported(2180, 2000, 180), (4820, 5000)),
        (Reported(0, 0, 10**9), (4820, 5000)),
    ],
)
def test_what_is_believed_of_a_report(said: Reported, span: tuple[int, int]) -> None:
    given = Reported(said.began * S, said.ended * S, said.played * S)
    assert believed(given, longest=LENGTH, known_since=KNOWN, arrived=ARRIVED) == (span[0] * S, span[1] * S)


@given(*(st.integers(0, 2**53 - 1) for _ in range(6)))
def test_never_longer_than_it_can_have_been(
    began: int, ended: int, played: int, longest: int, known: int, arrived: int
) -> None:
    start, until = believed(
        Reported(began, ended, played), longest=longest, known_since=known, arrived=arrived
    )
    assert 0 <= until - start <= min(played, longest)
    assert until <= arrived + SLACK_US
