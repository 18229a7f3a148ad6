"""The life of a play event: every state meets every report."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import protocol
from events.domain import ledger
from events.domain.ledger import COMPLETED, DELIVERED, FAILED, PENDING, PLAYING, Moved

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATES = [PENDING, DELIVERED, PLAYING, COMPLETED, FAILED]

HAS_IT, IS_LATE, CANNOT = (DELIVERED, ""), (FAILED, "expired"), (FAILED, "cannot")
ACKS = {
    ("armed", PENDING): HAS_IT,
    ("fetching", PENDING): HAS_IT,
    ("duplicate", PENDING): HAS_IT,
    ("expired", PENDING): IS_LATE,
    ("expired", DELIVERED): IS_LATE,
    ("expired", PLAYING): IS_LATE,
    ("cannot", PENDING): CANNOT,
    ("cannot", DELIVERED): CANNOT,
    ("cannot", PLAYING): CANNOT,
}
"""What moves; everything else stays."""


@pytest.mark.parametrize(("state", "status"), list(product(get_args(protocol.AckState), STATES)))
def test_acknowledged(state, status):
    moved = ledger.acknowledged(status, state=state, at=NOW)
    expected = ACKS.get((state, status))
    assert moved == (Moved(*expected, NOW) if expected else None)


@pytest.mark.parametrize("status", STATES)
def test_started(status):
    moved = ledger.started(status, at=NOW)
    assert moved == (Moved(PLAYING, "", NOW) if status in {PENDING, DELIVERED} else None)


@pytest.mark.parametrize(
    ("outcome", "status"), list(product(get_args(protocol.Outcome), [PENDING, DELIVERED, PLAYING]))
)
def test_the_first_receipt_decides(outcome, status):
    moved = ledger.received(status, "", outcome=outcome, at=NOW, by_device=False)
    assert moved == Moved(*ledger.OUTCOMES[outcome], NOW)


@pytest.mark.parametrize(
    ("status", "reason", "by_device", "outcome", "becomes"),
    [
        (FAILED, "no_receipt", False, "played", (COMPLETED, "")),
        (FAILED, "offline", False, "played", (COMPLETED, "")),
        (FAILED, "cancelled", False, "played", (COMPLETED, "")),
        (FAILED, "cancelled", False, "partial", (FAILED, "partial")),
        (FAILED, "no_receipt", False, "failed_decode", (FAILED, "decode_failed")),
        (COMPLETED, "", True, "partial", None),
        (COMPLETED, "", True, "played", None),
        (COMPLETED, "", True, "skipped_duplicate", None),
        (COMPLETED, "", True, "unknown_after_crash", None),
        (FAILED, "partial", True, "played", None),
        (FAILED, "unknown_after_crash", True, "played", None),
    ],
)
def test_a_receipt_for_what_is_closed(status, reason, by_device, outcome, becomes):
    moved = ledger.received(status, reason, outcome=outcome, at=NOW, by_device=by_device)
    assert moved == (Moved(*becomes, NOW, correction=True) if becomes else None)


@pytest.mark.parametrize(
    ("reason", "outcome"), [("cancelled", "skipped_cancelled"), ("expired", "skipped_late")]
)
def test_a_receipt_that_says_what_was_known_confirms_it(reason, outcome):
    moved = ledger.received(FAILED, reason, outcome=outcome, at=NOW, by_device=False)
    assert moved == Moved(FAILED, reason, NOW)


@given(
    st.lists(st.sampled_from(get_args(protocol.Outcome)), min_size=1),
    st.sampled_from(["", "no_receipt", "cancelled", "expired"]),
)
def test_no_second_receipt_changes_what_the_first_one_said(outcomes, closed_for):
    status, reason, by_device = (FAILED, closed_for, False) if closed_for else (PLAYING, "", False)
    for outcome in outcomes:
        moved = ledger.received(status, reason, outcome=outcome, at=NOW, by_device=by_device)
        if moved:
            assert not by_device
            status, reason, by_device = moved.status, moved.reason, True
    assert (status, reason) == ledger.OUTCOMES[outcomes[0]]


def test_every_word_of_the_protocol_has_a_meaning_here():
    assert set(ledger.OUTCOMES) == set(get_args(protocol.Outcome))
    assert {reason for _, reason in ledger.OUTCOMES.values()} <= set(ledger.REASONS)
    assert set(ledger.PRIORITIES) == set(get_args(protocol.Priority))
