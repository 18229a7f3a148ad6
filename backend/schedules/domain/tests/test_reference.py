"""The vector file against the slow references: every expectation is theirs, not the engine's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schedules.domain.tests import (
    reference_conflicts,
    reference_misc,
    reference_programme,
    reference_schedule,
    vectors,
)

REFERENCES: dict[str, Callable[[Any], Any]] = {
    "wall": reference_misc.wall,
    "day": reference_misc.day,
    "silence": reference_misc.silence,
    "occurrences": reference_schedule.occurrences,
    "next": reference_schedule.next_occurrence,
    "choice": reference_misc.choice,
    "id": reference_misc.identity,
    "programme": reference_programme.programme,
    "mask": reference_misc.mask,
    "conflict": reference_conflicts.resolve,
    "gain": reference_conflicts.gain,
    "refused": lambda _: True,
}
EVERY = {"occurrences": 13, "programme": 11, "next": 5}  # the slow groups are sampled
SAMPLE = [case for i, case in enumerate(vectors.cases()) if i % EVERY.get(case["group"], 1) == 0]


@pytest.mark.parametrize("case", SAMPLE, ids=[case["id"] for case in SAMPLE])
def test_reference_gives_what_the_vector_expects(case: vectors.Spec) -> None:
    assert REFERENCES[case["group"]](case["in"]) == case["expect"]
