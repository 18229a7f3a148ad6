"""Occurrences as plays of the ledger: one for each device."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from devices.models import Device
from devices.protocol import Priority as PlayPriority
from events.ports import PlannedPlay
from schedules.domain import Occurrence, Priority, occurrence_event_id, occurrence_play_id
from schedules.selectors import Audience, Place, Speaker

DUCK_DB = -15.0
"""How far the music steps back under a scheduled announcement."""
PRIORITY_OF: dict[Priority, PlayPriority] = {Priority.TIMELINE: "timeline", Priority.INTERVAL: "interval"}


class Fate(NamedTuple):
    """A play, and why it is not to be heard; an empty reason if it is."""

    play: PlannedPlay
    reason: str


def plays_of(occurrence: Occurrence, place: Place, devices: Iterable[Speaker]) -> Iterator[PlannedPlay]:
    """The occurrence on each of these devices, which hang at `place`."""
    play_id = occurrence_play_id(occurrence.schedule_id, occurrence.at)
    for device in devices:
        yield PlannedPlay(
            event_id=occurrence_event_id(occurrence.schedule_id, occurrence.at, str(device.pk)),
            play_id=play_id,
            device_pk=device.pk,
            floor_pk=place.floor_pk,
            announcement_pk=None if occurrence.announcement_id is None else int(occurrence.announcement_id),
            priority=PRIORITY_OF[occurrence.priority],
            play_at=occurrence.at,
            expires_at=occurrence.expires_at,
            volume=device.volume,
            duck_db=DUCK_DB,
            late="join",
        )


def fates_of(
    audience: Audience, windows: Mapping[int, tuple[int, int]], *, only: Device | None = None
) -> dict[int, list[Fate]]:
    """What these schedules have on all their devices, or `only` on one, each in its own window (µs UTC)."""
    found: dict[int, list[Fate]] = defaultdict(list)
    places = audience.devices if only is None else audience.devices.keys() & {Place.of(only)}
    for place in places:
        heard = audience.devices[place]
        for occurrence in audience.occurrences(place, windows):
            pk = int(occurrence.schedule_id)
            devices = heard[pk] if only is None else [each for each in heard[pk] if each.pk == only.pk]
            found[pk] += [
                Fate(play, occurrence.reason or "") for play in plays_of(occurrence, place, devices)
            ]
    return found
