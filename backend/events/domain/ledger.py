"""The life of a play event: states, reasons, and the one function that moves an event. Pure.

    pending → delivered → playing → completed | failed

A report from a device may arrive late, twice, or out of order; `advance` answers what the row becomes, or None
when the report changes nothing. A genuine receipt corrects what a sweeper has closed in the meantime.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

PENDING = "pending"
DELIVERED = "delivered"
PLAYING = "playing"
COMPLETED = "completed"
FAILED = "failed"

TERMINAL = frozenset({COMPLETED, FAILED})
OPEN = frozenset({PENDING, DELIVERED, PLAYING})
RANK = {PENDING: 0, DELIVERED: 1, PLAYING: 2, COMPLETED: 3, FAILED: 3}

REASONS: dict[str, str] = {
    "": "",
    "offline": "The device was offline until the announcement had expired.",
    "expired": "The announcement could not be started before it expired.",
    "quiet_hours": "It was quiet hours.",
    "superseded": "A newer order took its place.",
    "cancelled": "Somebody cancelled it.",
    "preempted": "A more urgent announcement took its place.",
    "partial": "It was cut off before its end.",
    "clock_untrusted": "The device did not trust its clock.",
    "download_failed": "The device could not fetch the audio.",
    "decode_failed": "The device could not decode the audio.",
    "output_failed": "The device's sound output failed.",
    "unknown_after_crash": "The device restarted while it was starting: nobody knows whether it was heard.",
    "no_receipt": "The device never reported what became of it.",
    "cannot": "The device said that it cannot play this.",
    "missed": "The server was down when it was due.",
    "duplicate": "The device had played it already.",
    "device_removed": "The device was removed before it played.",
    "client_locked": "The business was locked.",
    "floor_stopped": "The floor had been told to be silent.",
    "exception_date": "It was one of the schedule's exception dates.",
    "least_gap": "It came too soon after, or before, another announcement on its floor.",
    "no_announcement": "None of the schedule's announcements was switched on and ready.",
    "not_valid": "None of the schedule's announcements was valid on that day.",
}
"""Stable reason codes and the sentence that `error_message` holds for each."""

OUTCOMES: dict[str, tuple[str, str]] = {
    "played": (COMPLETED, ""),
    "partial": (FAILED, "partial"),
    "skipped_late": (FAILED, "expired"),
    "skipped_duplicate": (FAILED, "duplicate"),
    "skipped_cancelled": (FAILED, "cancelled"),
    "skipped_preempted": (FAILED, "preempted"),
    "skipped_quiet": (FAILED, "quiet_hours"),
    "skipped_clock": (FAILED, "clock_untrusted"),
    "failed_fetch": (FAILED, "download_failed"),
    "failed_decode": (FAILED, "decode_failed"),
    "failed_output": (FAILED, "output_failed"),
    "unknown_after_crash": (FAILED, "unknown_after_crash"),
}
"""A device's outcome (protocol v1) → the state it leads to and its reason."""

SILENCES: dict[str, str] = {"stopped": "floor_stopped", "client_locked": "client_locked"}
"""What a device that was told to be silent says with `skipped_quiet` → the reason; quiet hours otherwise."""

INTERVAL = "interval"
"""The priority of an announcement of an interval schedule."""
PLAYLIST = "playlist"
"""The priority of an announcement that stands in a floor's programme."""

PRIORITIES: dict[str, int] = {
    "emergency": 100,
    "instant": 80,
    "timeline": 60,
    INTERVAL: 40,
    PLAYLIST: 20,
}
"""Who gives way to whom on one device: the higher number sounds."""
PRIORITY_CHOICES = [(name, name) for name in PRIORITIES]
ORDER_PRIORITY_CHOICES = [("instant", "instant"), ("emergency", "emergency")]
"""What a person may order; the others are the rules' own."""


class Moved(NamedTuple):
    """What a report makes of an event. `correction` marks a receipt that overrules a closed state."""

    status: str
    reason: str
    at: datetime
    correction: bool = False


def acknowledged(status: str, *, state: str, at: datetime) -> Moved | None:
    """A device's `ack`: armed, fetching and duplicate mean it has the order; expired and cannot end it.

    `duplicate` proves only that the device knows the event: its receipt says what became of it.
    """
    if state in {"armed", "fetching", "duplicate"}:
        return Moved(DELIVERED, "", at) if status == PENDING else None
    if status in TERMINAL:
        return None
    return Moved(FAILED, "expired" if state == "expired" else "cannot", at)


def started(status: str, *, at: datetime) -> Moved | None:
    """A device's `playback_started`."""
    return Moved(PLAYING, "", at) if status in {PENDING, DELIVERED} else None


def received(
    status: str, reason: str, *, outcome: str, at: datetime, by_device: bool, error: str = ""
) -> Moved | None:
    """A device's receipt. `by_device` says whether the present terminal state came from a receipt already.

    The first receipt decides. One that meets a row closed by the server (a sweeper, a cancellation that came
    too late) corrects or confirms it, and the history keeps both.
    """
    if by_device:
        return None
    target, why = OUTCOMES[outcome]
    if outcome == "skipped_quiet":
        why = SILENCES.get(error, why)
    return Moved(target, why, at, correction=status in TERMINAL and (target, why) != (status, reason))
