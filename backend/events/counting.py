"""What is counted of plays, as their changes are committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import cache

from django.db import transaction

from common.metrics import SLOW, counter, histogram
from events.alerts import ALARMING
from events.domain import ledger
from events.rows import Change

ENDED = counter("plays_ended", "Plays that ended, by how.", "status", "reason", "priority")
CORRECTED = counter(
    "plays_corrected", "Plays that had ended and that a late receipt told otherwise.", "status", "reason"
)
ACKNOWLEDGED = histogram(
    "play_acknowledged_seconds",
    "From an order's row to the speaker's word that it has it.",
    "type",
    bounds=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 120.0),
)
RECEIPT = histogram(
    "play_receipt_seconds",
    "From an order's row to its receipt: lead, sound and way back. A scheduled order is written 90 s ahead.",
    "type",
    bounds=(*SLOW, 3600.0, 86400.0),
)
START_ERROR = histogram(
    "play_start_error_seconds",
    "How far from the ordered instant speakers began, either way, by their own word.",
    bounds=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0),
)

for _reason in ALARMING:
    # From zero on: an alert sees the first one rise, not appear.
    ENDED.labels(ledger.FAILED, _reason, "emergency")


def note_changes(changes: Iterable[Change]) -> None:
    """Counts these changes of plays, whose events are in memory, once they are committed."""
    made = list(changes)
    transaction.on_commit(lambda: _count(made), robust=True)


def note_ended(*, status: str, reason: str, priority: str, number: int) -> None:
    """Counts plays that ended as they were written, once they are committed."""
    transaction.on_commit(lambda: ENDED.labels(status, reason, priority).inc(number), robust=True)


def _count(changes: Iterable[Change]) -> None:
    ended: Counter[tuple[str, str, str]] = Counter()
    acknowledged, receipts = cache(ACKNOWLEDGED.labels), cache(RECEIPT.labels)
    for change in changes:
        event = change.event
        if change.status == ledger.DELIVERED:
            acknowledged(event.event_type).observe(_seconds(event.created_at, change.at))
        elif change.status in ledger.TERMINAL:
            if change.correction:
                CORRECTED.labels(change.status, change.reason).inc()
            else:
                ended[change.status, change.reason, event.priority] += 1
            if "outcome" in change.detail:
                receipts(event.event_type).observe(_seconds(event.created_at, change.at))
                if event.start_error_us is not None:
                    START_ERROR.observe(abs(event.start_error_us) / 1e6)
    for labels, number in ended.items():
        ENDED.labels(*labels).inc(number)


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())
