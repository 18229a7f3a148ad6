"""The licence log: what music played where and for how long, from the devices' own words.

A device that can reports each stretch of music itself, offline ones afterwards: see `playlists.music_reports`. The
others are judged here by their `status_update`, every 15 s and at each change; what they played while they were
offline is not in the log, for nobody told of it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Any

from django.db import transaction
from django.db.models import Max

from clients.models import Client
from common import clock
from common.spreadsheets import harmless
from common.tenancy import system_scope
from devices.models import Device
from devices.ports import DeviceReport
from devices.protocol import MUSIC_REPORTS, StatusUpdate
from music.models import MusicFile
from playlists.content import named_track
from playlists.domain.hearing import Silence, Stretch, Track, hear
from playlists.models import MusicPlay
from zones.domain import load_zone, reach

HEADINGS = ("floor", "device", "title", "artist", "album", "isrc", "started_at", "seconds")
_LINES_AT_ONCE = 2000


# --- writing ---------------------------------------------------------------------------------------------


class LicenceLog:
    """`devices.ports.StatusObserver` over the log, for devices that send no reports of music."""

    def observe(self, reports: Sequence[DeviceReport], *, now: datetime) -> None:
        """Keeps what these reports prove; a report that comes twice proves nothing more."""
        told = [(report, report.message) for report in reports if isinstance(report.message, StatusUpdate)]
        with system_scope("the socket serves every client's devices"), transaction.atomic():
            _Hearing([(report, status) for report, status in told if status.now_playing is not None]).keep()


class _Hearing:
    """Many devices' reports at once, with the rows they are about."""

    def __init__(self, reports: Sequence[tuple[DeviceReport, StatusUpdate]]) -> None:
        self._reports = sorted(reports, key=lambda pair: pair[0].at)
        devices = {report.device_pk for report, _ in self._reports}
        found = Device.objects.select_related("floor").filter(pk__in=devices)
        self._devices = {each.pk: each for each in found if MUSIC_REPORTS not in each.capabilities}
        newest = MusicPlay.objects.filter(device__in=devices).values("device").annotate(newest=Max("pk"))
        rows = MusicPlay.objects.select_for_update().filter(pk__in=[row["newest"] for row in newest])
        self._last: dict[int, MusicPlay] = {row.device_id or 0: row for row in rows}
        named = (named_track(status.now_playing.id) for _, status in self._reports if status.now_playing)
        self._music = MusicFile.objects.in_bulk({name[0] for name in named if name is not None})
        self._changed: dict[int, MusicPlay] = {}
        self._new: list[MusicPlay] = []

    def keep(self) -> None:
        """Writes what the reports change, by two statements."""
        for report, status in self._reports:
            device = self._devices.get(report.device_pk)
            if device is not None:
                self._take(device, self._said(device, status), clock.to_us(report.at))
        MusicPlay.objects.bulk_update(self._changed.values(), ["heard_until", "sounding"], batch_size=500)
        MusicPlay.objects.bulk_create(self._new, batch_size=500)

    def _said(self, device: Device, status: StatusUpdate) -> Track | Silence:
        """What music this status names. A device can name only tracks of its own business."""
        playing = status.now_playing
        if playing is None or playing.kind == "nothing" or status.muted or status.volume == 0:
            return Silence.NOTHING
        if playing.kind != "music":
            return Silence.COVERED
        name = named_track(playing.id)
        music = self._music.get(name[0]) if name is not None else None
        if name is None or music is None or music.client_id != device.client_id:
            return Silence.NOTHING
        starts = name[1]
        return Track(playing.id, starts, None if starts is None else starts + music.duration_ms * 1000)

    def _take(self, device: Device, said: Track | Silence, at: int) -> None:
        last = self._last.get(device.pk)
        before = _stretch_of(last) if last is not None else None
        after, begun = hear(before, said, at)
        if last is not None and after is not None and after != before:
            last.heard_until, last.sounding = clock.from_us(after.last), after.open
            if last.pk is not None:
                self._changed[last.pk] = last
        if begun is not None:
            row = self._row(device, begun)
            self._last[device.pk] = row
            self._new.append(row)

    def _row(self, device: Device, begun: Stretch) -> MusicPlay:
        name = named_track(begun.track.segment)
        music = self._music[name[0]] if name is not None else None
        assert music is not None  # noqa: S101  # `_said` made the track of it
        return MusicPlay(
            **place_of(device),
            **names_of(music),
            segment=begun.track.segment,
            started_at=clock.from_us(begun.began),
            heard_until=clock.from_us(begun.last),
            ends_at=None if begun.track.ends is None else clock.from_us(begun.track.ends),
            sounding=begun.open,
        )


def place_of(device: Device) -> dict[str, Any]:
    """The columns that say where it sounded, with the names of this time."""
    return {
        "client_id": device.client_id,
        "device": device,
        "device_name": device.name,
        "floor": device.floor,
        "floor_name": device.floor.name if device.floor else "",
    }


def names_of(music: MusicFile) -> dict[str, Any]:
    """The columns that say what sounded, with the names of this time."""
    return {
        "music_file": music,
        "title": music.name,
        "artist": music.artist,
        "album": music.album,
        "isrc": music.isrc,
    }


def _stretch_of(row: MusicPlay) -> Stretch:
    name = named_track(row.segment)
    return Stretch(
        Track(
            row.segment,
            name[1] if name is not None else None,
            None if row.ends_at is None else clock.to_us(row.ends_at),
        ),
        clock.to_us(row.started_at),
        clock.to_us(row.heard_until),
        row.sounding,
    )


# --- reading ---------------------------------------------------------------------------------------------


def month_of(client: Client, year: int, month: int) -> tuple[datetime, datetime]:
    """The month [start, end) on the business's own clock."""
    zone = load_zone(client.timezone)
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    return _midnight(zone, year, month), _midnight(zone, *following)


def _midnight(zone: tzinfo, year: int, month: int) -> datetime:
    return clock.from_us(reach(zone, datetime(year, month, 1)))  # noqa: DTZ001  # a wall time, read in `zone`


def lines(client: Client, start: datetime, end: datetime) -> Iterator[str]:
    """The log of [start, end) as CSV (RFC 4180), heading first, many lines at a time.

    Times are ISO 8601 on the business's clock; seconds are rounded, and what was heard for less than half a
    second is left out. A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    zone = load_zone(client.timezone)
    rows = MusicPlay.objects.filter(client=client, started_at__gte=start, started_at__lt=end)
    columns = ("floor_name", "device_name", "title", "artist", "album", "isrc", "started_at", "heard_until")
    heard = rows.order_by("started_at", "pk").values_list(*columns)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(HEADINGS)
    waiting = 0
    for *texts, started_at, heard_until in heard.iterator(chunk_size=_LINES_AT_ONCE):
        seconds = round((heard_until - started_at).total_seconds())
        if not seconds:
            continue
        local = started_at.astimezone(zone).isoformat(timespec="seconds")
        writer.writerow([*map(harmless, texts), local, seconds])
        waiting += 1
        if waiting == _LINES_AT_ONCE:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
            waiting = 0
    yield buffer.getvalue()
