"""The ids of occurrences' play events, derived so that everyone who means the same play means the same row.

The shape is that of `playlists.domain.ids`, which names the announcements of a floor's programme.
"""

from __future__ import annotations

from uuid import UUID

from playlists.domain.ids import NAMESPACE, named, programme_event_id

__all__ = ["NAMESPACE", "occurrence_event_id", "occurrence_play_id", "programme_event_id"]


def occurrence_event_id(schedule_id: str, at: int, device_id: str) -> UUID:
    """The event of a schedule's occurrence at the instant `at` (µs UTC) on one device."""
    return named(f"occurrence/{schedule_id}/{at}/{device_id}")


def occurrence_play_id(schedule_id: str, at: int) -> UUID:
    """What the events of one occurrence have in common on all its devices."""
    return named(f"occurrence/{schedule_id}/{at}")
