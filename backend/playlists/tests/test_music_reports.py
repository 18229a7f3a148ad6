"""The licence log from the speakers' own reports: one row for each, whatever is sent, however late."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from common import clock
from common.tenancy import system_scope
from devices import protocol
from devices.models import Device
from devices.ports import DeviceReport, music_log
from devices.protocol import MUSIC_REPORTS, MusicPlayed, MusicStretch
from devices.tests.conftest import server, tokens
from devices.tests.shop_floor import row_of, speaker, until
from playlists.licence import LicenceLog
from playlists.models import MusicPlay
from playlists.music_reports import ReportedMusic
from playlists.tests.support import NOON, NOON_US, SECOND, tracks

__all__ = ["server", "tokens"]


@pytest.fixture(autouse=True)
def hung_up_long_ago(shop: Any) -> None:
    """The speakers of the shop are a month old at NOON."""
    with system_scope("test data"):
        Device.objects.update(created_at=NOON - timedelta(days=30))


def stretch(track: Any, start: float, seconds: float, *, number: int = 1, **fields: Any) -> MusicStretch:
    """A track that sounded for so long, so long after NOON."""
    began = NOON_US + round(start * SECOND)
    values = {
        "report_id": str(uuid.UUID(int=number)),
        "segment_id": f"music-{getattr(track, 'pk', track)}-{began}",
        "music_id": getattr(track, "pk", track),
        "started_at": began,
        "ended_at": began + round(seconds * SECOND),
        "played_ms": round(seconds * 1000),
    }
    return MusicStretch(**(values | fields))


def report(device: Any, *stretches: MusicStretch, after: float = 3600) -> DeviceReport:
    """A message with these, that arrives so many seconds after NOON."""
    pk = getattr(device, "pk", device)
    return DeviceReport(pk, MusicPlayed(stretches=list(stretches)), NOON + timedelta(seconds=after))


def store(*reports: DeviceReport) -> None:
    """The log takes these reports at once."""
    ReportedMusic().store(reports, now=NOON)


def log() -> list[tuple[Any, ...]]:
    """(device, title, start and length in seconds after NOON) of every row."""
    with system_scope("test"):
        return [
            (
                row.device_id,
                row.title,
                (row.started_at - NOON).total_seconds(),
                (row.heard_until - row.started_at).total_seconds(),
            )
            for row in MusicPlay.objects.order_by("device_id", "started_at", "pk")
        ]


def test_the_log_stands_behind_the_socket() -> None:
    assert isinstance(music_log(), ReportedMusic)


def test_what_is_sent_again_is_one_row(shop: Any) -> None:
    one, two = tracks(shop.client, 2)
    first, second = shop.devices
    same_id = report(second, stretch(one, 0, 60))
    batch = report(first, stretch(one, 0, 180), stretch(two, 178, 30.5, number=2))
    for _ in range(2):
        store(batch, same_id, batch)
    assert log() == [
        (first.pk, one.name, 0, 180),
        (first.pk, two.name, 178, 30.5),
        (second.pk, one.name, 0, 60),
    ]


def test_a_row_keeps_the_names_of_its_time(shop: Any) -> None:
    (track,) = tracks(shop.client, 1, artist="Ann", album="Blue", isrc="GBAYE6800011")
    store(report(shop.devices[0], stretch(track, 0, 10)))
    with system_scope("test"):
        row = MusicPlay.objects.get()
    assert (row.client_id, row.device_name, row.floor_name) == (shop.client.pk, "Speaker Ground", "Ground")
    assert (row.title, row.artist, row.album, row.isrc) == (track.name, "Ann", "Blue", "GBAYE6800011")
    assert (row.music_file_id, row.segment, row.sounding) == (track.pk, f"music-{track.pk}-{NOON_US}", False)


def test_a_track_that_was_deleted_meanwhile_is_told_with_its_names(shop: Any) -> None:
    (track,) = tracks(shop.client, 1, artist="Ann", album="Blue", isrc="GBAYE6800011")
    pk = track.pk
    with system_scope("test"):
        track.delete()
    store(report(shop.devices[0], stretch(pk, 0, 500)))
    with system_scope("test"):
        row = MusicPlay.objects.get()
    assert (row.title, row.artist, row.album, row.isrc) == (track.name, "Ann", "Blue", "GBAYE6800011")
    assert row.music_file_id is None
    assert log()[0][3] == 180, "no longer than the track was"


def test_a_device_reports_its_own_business_and_itself(shop: Any, other_shop: Any) -> None:
    own, foreign, gone = *tracks(shop.client, 1), *tracks(other_shop.client, 2)
    gone_pk = gone.pk
    with system_scope("test"):
        gone.delete()
    device = shop.devices[0]
    store(
        report(
            device,
            stretch(foreign, 0, 60),
            stretch(gone_pk, 0, 60, number=2),
            stretch(10**9, 0, 60, number=3),
        ),
        report(10**6, stretch(own, 0, 60, number=4)),
        report(device, stretch(own, 0, 60, number=5)),
        DeviceReport(device.pk, protocol.Goodbye(), NOON),
    )
    assert log() == [(device.pk, own.name, 0, 60)]


def test_a_whole_day_costs_few_queries(shop: Any, django_assert_max_num_queries: Any) -> None:
    rows = tracks(shop.client, 5)
    stretches = [stretch(rows[number % 5], 180 * number, 180, number=number) for number in range(200)]
    with django_assert_max_num_queries(12):  # two for the savepoint; SQLite takes 70 rows a statement
        store(*(report(device, *stretches, after=40_000) for device in shop.devices))
    assert len(log()) == 400


def status(device: Any, second: float, track: Any) -> DeviceReport:
    """A status update so long after NOON."""
    playing = protocol.NowPlaying(kind="music", id=f"music-{track.pk}-{NOON_US}")
    return DeviceReport(
        device.pk, protocol.StatusUpdate(now_playing=playing), NOON + timedelta(seconds=second)
    )


def test_who_reports_is_not_judged_by_its_status_besides(shop: Any) -> None:
    (track,) = tracks(shop.client, 1)
    reporting, other = shop.devices
    with system_scope("test"):
        Device.objects.filter(pk=reporting.pk).update(capabilities=["sync", MUSIC_REPORTS])
    for second in (1, 16):
        LicenceLog().observe([status(device, second, track) for device in shop.devices], now=NOON)
    store(report(reporting, stretch(track, 0, 16)))
    assert log() == [(reporting.pk, track.name, 0, 16), (other.pk, track.name, 1, 15)]


def test_a_device_that_reports_no_more_is_judged_again(shop: Any) -> None:
    (track,) = tracks(shop.client, 1)
    device = shop.devices[0]
    store(report(device, stretch(track, 0, 16)))
    LicenceLog().observe([status(device, second, track) for second in (30, 45)], now=NOON)
    assert log() == [(device.pk, track.name, 0, 16), (device.pk, track.name, 30, 15)]


# --- over the socket --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
async def test_what_is_acknowledged_is_in_the_log(server: Any, shop: Any, tokens: Any) -> None:
    device = shop.devices[0]
    (track,) = await sync_to_async(tracks)(shop.client, 1)
    now = clock.now_us()
    said = stretch(track, 0, 0, started_at=now - 61_000_000, ended_at=now - 1_000_000, played_ms=60_000)
    fields = {"stretches": [{name: getattr(said, name) for name in said.__struct_fields__}]}
    async with speaker(
        server, device.device_id, tokens[device.pk], hello={"capabilities": [MUSIC_REPORTS]}
    ) as one:
        for n in range(2):
            await one.say("music_played", id=f"m{n}", **fields)
            ack = await one.hears("receipt_ack", re=f"m{n}")
            assert (ack["event_ids"], ack["report_ids"]) == ([], [said.report_id])
            assert [row[3] for row in await sync_to_async(log)()] == [60]


@pytest.mark.django_db(transaction=True)
async def test_who_did_not_announce_it_is_not_heard(server: Any, shop: Any, tokens: Any) -> None:
    device = shop.devices[0]
    (track,) = await sync_to_async(tracks)(shop.client, 1)
    said = json.loads(protocol.encode(MusicPlayed(stretches=[stretch(track, 0, 60)])))
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        await until(lambda: row_of(device).session_id, "the hello")
        await one.say("music_played", id="m1", stretches=said["stretches"])
        error = await one.hears("error")
    assert (error["code"], error["re"]) == ("unexpected", "m1")
    assert await sync_to_async(log)() == []
