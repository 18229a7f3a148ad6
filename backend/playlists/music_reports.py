"""The licence log from the speakers' own reports: each stretch of music that sounded, however late it is told.

A speaker keeps a report until it is acknowledged and may send it any number of times; it is one row. It can report
only for itself, and only music of its own business.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from audit.models import AuditLog
from common import clock
from common.tenancy import system_scope
from devices.models import Device
from devices.ports import DeviceReport
from devices.protocol import MusicPlayed, MusicStretch
from music.models import MusicFile
from playlists.domain.hearing import Reported, believed
from playlists.licence import names_of, place_of
from playlists.models import MusicPlay


class ReportedMusic:
    """`devices.ports.MusicLog` over the licence log."""

    def store(self, reports: Sequence[DeviceReport], *, now: datetime) -> None:
        """One row for each stretch of these reports; one that is in the log already changes nothing."""
        with system_scope("the socket serves every client's devices"), transaction.atomic():
            devices = Device.objects.select_related("floor").in_bulk({each.device_pk for each in reports})
            told = [
                (devices[report.device_pk], stretch, clock.to_us(report.at))
                for report in reports
                if isinstance(report.message, MusicPlayed) and report.device_pk in devices
                for stretch in report.message.stretches
            ]
            library = _library((device.client_id, stretch.music_id) for device, stretch, _ in told)
            rows = [
                _row(device, stretch, track, arrived)
                for device, stretch, arrived in told
                if (track := library.get((device.client_id, stretch.music_id))) is not None
            ]
            MusicPlay.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)


@dataclass(frozen=True, slots=True)
class _Track:
    """A track's columns in the log, and its length in µs."""

    names: dict[str, Any]
    length: int


def _library(wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], _Track]:
    """The tracks behind (client, music) pairs: of the client's own music, also what has been deleted since."""
    pairs = set(wanted)
    found = {
        (music.client_id, music.pk): _Track(names_of(music), music.duration_ms * 1000)
        for music in MusicFile.objects.filter(pk__in={pk for _, pk in pairs})
    }
    gone = pairs - found.keys()
    return found | _deleted({pair for pair in gone if pair[1] not in {pk for _, pk in found}})


def _deleted(pairs: set[tuple[int, int]]) -> dict[tuple[int, int], _Track]:
    """Tracks that are gone, as the audit trail remembers them."""
    if not pairs:
        return {}
    entries = AuditLog.objects.filter(
        client__in={client for client, _ in pairs},
        action="delete",
        resource="music",
        resource_id__in={str(pk) for _, pk in pairs},
    )
    tracks: dict[tuple[int, int], _Track] = {}
    for client, pk, details in entries.values_list("client_id", "resource_id", "details"):
        was = json.loads(details)["before"]
        names = {"title": was["name"]} | {name: was[name] for name in ("artist", "album", "isrc")}
        tracks[client or 0, int(pk)] = _Track(names, was["duration_ms"] * 1000)
    return tracks


def _row(device: Device, stretch: MusicStretch, track: _Track, arrived: int) -> MusicPlay:
    began, until = believed(
        Reported(stretch.started_at, stretch.ended_at, stretch.played_ms * 1000),
        longest=track.length,
        known_since=clock.to_us(device.created_at),
        arrived=arrived,
    )
    return MusicPlay(
        **place_of(device),
        **track.names,
        segment=stretch.segment_id,
        started_at=clock.from_us(began),
        heard_until=clock.from_us(until),
        sounding=False,
        report_id=stretch.report_id,
    )
