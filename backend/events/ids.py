"""The names of play events: UUIDv5 of what the event is (RFC 9562 §5.5)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid5

INSTANT_PLAYS = UUID("9f5d2c1e-63c0-5a0e-8f5e-6d2a0c7b4e11")


def instant_event_ids(play_id: UUID, device_pks: Iterable[int]) -> list[UUID]:
    """The events of one instant play, one for each of these devices."""
    play = str(play_id)
    return [uuid5(INSTANT_PLAYS, f"{play}/{pk}") for pk in device_pks]
