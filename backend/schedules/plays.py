"""Occurrences as plays of the ledger: one for each device."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from devices.protocol import Priority as PlayPriority
from events.ports import PlannedEvent, PlannedPlay
from schedules.domain import Occurrence, Priority, occurrence_event_id, occurrence_play_id
from schedules.selectors import Audience, Place, Speaker

DUCK_DB = -15.0
"""How far the music steps back under a scheduled announcement."""
PRIORITY_OF: dict[Priority, PlayPriority] = {Priority.TIMELINE: "timeline", Priority.INTERVAL: "interval"}


class Fate(NamedTuple):
    """A play, and why it is not to be heard; an empty reason if it is."""

    play: PlannedPlay
    reason: str


def play_of(occurrence: Occurrence, place: Place, client_pk: int, devices: Iterable[Speaker]) -> PlannedPlay:
    """The occurrence on these devices of a business, which hang at `place`."""
    schedule_id, at = occurrence.schedule_id, occurrence.at
    return PlannedPlay(
        play_id=occurrence_play_id(schedule_id, at),
        client_pk=client_pk,
        floor_pk=place.floor_pk,
        announcement_pk=None if occurrence.announcement_id is None else int(occurrence.announcement_id),
        priority=PRIORITY_OF[occurrence.priority],
        play_at=at,
        expires_at=occurrence.expires_at,
        duck_db=DUCK_DB,
        late="join",
        events=[
            PlannedEvent(occurrence_event_id(schedule_id, at, str(pk)), pk, volume) for pk, volume in devices
        ],
    )


def fates_of(audience: Audience, windows: Mapping[int, tuple[int, int]]) -> dict[int, list[Fate]]:
    """What these schedules have on all their devices, each in its own window (µs UTC)."""
    found: dict[int, list[Fate]] = defaultdict(list)
    for place, heard in audience.devices.items():
        client_pk = audience.clients[place]
        for occurrence in audience.occurrences(place, windows):
            pk = int(occurrence.schedule_id)
            if heard[pk]:
                play = play_of(occurrence, place, client_pk, heard[pk])
                found[pk].append(Fate(play, occurrence.reason or ""))
    return found
