"""The engine against the vector file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from playlists.domain import masked, programme
from schedules.domain import (
    choose,
    floor_occurrences,
    music_gain,
    next_occurrence,
    occurrence_event_id,
    programme_event_id,
    resolve,
)
from schedules.domain.conflicts import Play
from schedules.domain.rules import Priority
from schedules.domain.tests import vectors
from zones.domain import (
    Span,
    Stop,
    clip,
    exists,
    load_zone,
    midnight,
    quiet_spans,
    reach,
    stop_spans,
    union,
)

CASES = vectors.cases()


def _wall(given: vectors.Spec) -> Any:
    zone, wall = load_zone(given["zone"]), datetime.fromisoformat(given["wall"])
    return {"reach": reach(zone, wall), "exists": exists(zone, wall)}


def _day(given: vectors.Spec) -> Any:
    zone, ordinal = load_zone(given["zone"]), date.fromisoformat(given["date"]).toordinal()
    return [midnight(zone, ordinal), midnight(zone, ordinal + 1)]


def _silence(given: vectors.Spec) -> Any:
    zone, start, end = load_zone(given["zone"]), given["from"], given["to"]
    quiet = [quiet_spans(vectors.quiet(spec), zone, start, end) for spec in given["quiet"]]
    stops = stop_spans((Stop(a, b) for a, b in given.get("stops", ())), start, end)
    return [list(span) for span in clip(union(*quiet, stops), start, end)]


def _occurrences(given: vectors.Spec) -> Any:
    rules = map(vectors.schedule, given["schedules"])
    floor = vectors.floor(given.get("floor", {}), given["zone"])
    found = floor_occurrences(rules, floor, given["seed"], given["from"], given["to"])
    return [vectors.occurrence_row(occurrence, given["zone"]) for occurrence in found]


def _next(given: vectors.Spec) -> Any:
    found = next_occurrence(
        vectors.schedule(given["schedule"]),
        load_zone(given["zone"]),
        given["seed"],
        given["after"],
        floor=vectors.floor(given.get("floor", {}), given["zone"]),
        horizon_days=given["horizon_days"],
        due_only=given["due_only"],
    )
    return found and vectors.occurrence_row(found, given["zone"])


def _choice(given: vectors.Spec) -> Any:
    ordinals = range(given["first"], given["first"] + given["count"])
    return [
        choose(given["seed"], given["key"], n, given["candidates"], avoid_repeat=given["avoid_repeat"])
        for n in ordinals
    ]


def _id(given: vectors.Spec) -> Any:
    if "schedule" in given:
        return str(occurrence_event_id(given["schedule"], given["at"], given["device"]))
    return str(programme_event_id(given["playlist"], given["floor"], given["at"], given["device"]))


def _programme(given: vectors.Spec) -> Any:
    segments = programme(
        vectors.channel(given["channel"]),
        given["seed"],
        given["from"],
        given["to"],
        crossfade_us=given["crossfade_us"],
        anchor=given.get("anchor"),
    )
    return vectors.segment_rows(segments)


def _mask(given: vectors.Spec) -> Any:
    silent = [Span(*span) for span in given["silent"]]
    return vectors.segment_rows(masked(map(vectors.segment, given["segments"]), silent))


def _conflict(given: vectors.Spec) -> Any:
    found = resolve(map(vectors.claim, given["claims"]), given["now"])
    return {
        "plays": [[p.event_id, p.start, p.end, p.cut_by] for p in found.plays],
        "losers": [[loser.event_id, loser.reason.value, loser.by, loser.at] for loser in found.losers],
    }


def _gain(given: vectors.Spec) -> Any:
    plays = [Play("", Priority.INTERVAL, start, end, db) for start, end, db in given["plays"]]
    return pytest.approx([music_gain(plays, at) for at in given["at"]], abs=1e-9)


BUILDERS: dict[str, Callable[[Any], Any]] = {
    "quiet": vectors.quiet,
    "schedule": vectors.schedule,
    "playlist": vectors.playlist,
    "claim": vectors.claim,
    "zone": load_zone,
    "floor": lambda spec: vectors.floor(spec, "Etc/UTC"),
}


def _refused(given: vectors.Spec) -> Any:
    ((kind, spec),) = given.items()
    try:
        BUILDERS[kind](spec)
    except ValueError:
        return True
    return False


RUN: dict[str, Callable[[vectors.Spec], Any]] = {
    "wall": _wall,
    "day": _day,
    "silence": _silence,
    "occurrences": _occurrences,
    "next": _next,
    "choice": _choice,
    "id": _id,
    "programme": _programme,
    "mask": _mask,
    "conflict": _conflict,
    "gain": _gain,
    "refused": _refused,
}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_engine_gives_what_the_vector_expects(case: vectors.Spec) -> None:
    assert RUN[case["group"]](case["in"]) == case["expect"]


def test_the_file_covers_what_it_promises() -> None:
    assert len(CASES) >= 150
    assert len({case["id"] for case in CASES}) == len(CASES)
    groups = Counter(case["group"] for case in CASES)
    assert set(groups) == set(RUN)
    text = str(CASES)
    for zone in (
        "Europe/London",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "America/Havana",
    ):
        assert text.count(zone) >= 5, zone
