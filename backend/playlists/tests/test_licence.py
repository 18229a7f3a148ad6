"""The licence log: from status updates to the CSV of a month."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.tenancy import system_scope
from devices import protocol
from devices.ports import DeviceReport, status_observers
from playlists.content import named_track
from playlists.licence import HEADINGS, LicenceLog, month_of
from playlists.models import MusicPlay
from playlists.tests.support import NOON, NOON_US, tracks

URL = "/api/music/licence-log/"


def says(device: Any, second: float, kind: str, name: str = "", **fields: Any) -> DeviceReport:
    """A status update so long after NOON."""
    playing = protocol.NowPlaying(kind=kind, id=name)  # type: ignore[arg-type]
    return DeviceReport(
        device.pk, protocol.StatusUpdate(now_playing=playing, **fields), NOON + timedelta(seconds=second)
    )


def music(device: Any, second: float, track: Any, starts: float = 0, **fields: Any) -> DeviceReport:
    """A status update of a device that plays `track`, whose segment starts so long after NOON."""
    name = f"music-{track.pk}-{NOON_US + int(starts * 1_000_000)}"
    return says(device, second, "music", name, **fields)


def observe(*reports: DeviceReport) -> None:
    """The log hears these reports at once."""
    LicenceLog().observe(reports, now=NOON)


def log() -> list[tuple[Any, ...]]:
    """(device, title, start and length in seconds after NOON, still sounding) of every row."""
    with system_scope("test"):
        return [
            (
                row.device_id,
                row.title,
                (row.started_at - NOON).total_seconds(),
                (row.heard_until - row.started_at).total_seconds(),
                row.sounding,
            )
            for row in MusicPlay.objects.order_by("device_id", "pk")
        ]


def test_the_log_listens_to_the_devices() -> None:
    assert isinstance(status_observers()["licence log"], LicenceLog)


@pytest.mark.parametrize("at_once", [True, False])
def test_two_devices_play_two_tracks(shop: Any, at_once: bool) -> None:
    one, two = tracks(shop.client, 2)  # 180 s each
    first, second = shop.devices
    reports = [
        music(first, 1, one),
        music(second, 2, one),
        *(music(first, at, one) for at in range(15, 180, 15)),
        music(first, 179, two, 178),
        music(second, 17, one),
        music(first, 194, two, 178),
        says(first, 200, "nothing"),
    ]
    for batch in [reports] if at_once else [[report] for report in sorted(reports, key=lambda r: r.at)]:
        observe(*batch)
        observe(*batch)  # a batch that is written again proves nothing more
    assert log() == [
        (first.pk, one.name, 1, 177, False),
        (first.pk, two.name, 178, 22, False),
        (second.pk, one.name, 2, 15, True),
    ]


def test_a_row_keeps_the_names_of_its_time(shop: Any) -> None:
    (track,) = tracks(shop.client, 1, artist="Ann", album="Blue", isrc="GBAYE6800011")
    observe(music(shop.devices[0], 1, track), music(shop.devices[0], 16, track))
    with system_scope("test"):
        track.delete()
        shop.devices[0].delete()
        shop.floors[0].delete()
        row = MusicPlay.objects.get()
        assert (row.music_file_id, row.device_id, row.floor_id) == (None, None, None)
        assert (row.title, row.artist, row.album, row.isrc) == (track.name, "Ann", "Blue", "GBAYE6800011")
        assert (row.device_name, row.floor_name, row.client_id) == (
            "Speaker Ground",
            "Ground",
            shop.client.pk,
        )


def test_what_is_not_heard_is_not_logged(shop: Any, other_shop: Any) -> None:
    own, foreign = tracks(shop.client, 1)[0], tracks(other_shop.client, 1)[0]
    device = shop.devices[0]
    for second, report in enumerate(
        [
            says(device, 1, "music", f"music-{foreign.pk}-{NOON_US}"),
            says(device, 2, "music", "music-999999999-0"),
            says(device, 3, "music", "s1"),
            says(device, 4, "announcement", "x"),
            says(device, 5, "nothing"),
            music(device, 6, own, muted=True),
            music(device, 7, own, volume=0),
            DeviceReport(device.pk, protocol.StatusUpdate(), NOON),
            DeviceReport(device.pk + 10**6, protocol.StatusUpdate(), NOON),
            DeviceReport(device.pk, protocol.Goodbye(), NOON),
        ]
    ):
        observe(report)
        assert log() == [], second


def test_muting_ends_what_is_heard(shop: Any) -> None:
    (track,) = tracks(shop.client, 1)
    device = shop.devices[0]
    observe(music(device, 0, track), music(device, 10, track, muted=True), music(device, 20, track))
    assert log() == [(device.pk, track.name, 0, 10, False), (device.pk, track.name, 20, 0, True)]


def test_a_status_without_music_says_nothing_about_it(shop: Any) -> None:
    (track,) = tracks(shop.client, 1)
    device = shop.devices[0]
    silent = DeviceReport(device.pk, protocol.StatusUpdate(), NOON + timedelta(seconds=5))
    observe(music(device, 0, track), silent, music(device, 10, track))
    assert log() == [(device.pk, track.name, 0, 10, True)]


def test_the_number_of_queries_does_not_grow(shop: Any, django_assert_max_num_queries: Any) -> None:
    rows = tracks(shop.client, 12)
    reports = [
        music(device, 5 * number, row, 5 * number)
        for number, row in enumerate(rows)
        for device in shop.devices
    ]
    with django_assert_max_num_queries(8):  # of them two for the savepoint
        observe(*reports)
    assert len(log()) == 24


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("music-17-1767225600000000", (17, 1767225600000000)),
        ("music-17-1767225600000000+1", (17, None)),
        ("announcement-17-1767225600000000", None),
        ("music-17", None),
        ("music--1-5", None),
        ("music-" + "9" * 40 + "-5", None),
        ("", None),
        ("music-1-2 ", None),
    ],
)
def test_the_track_in_a_name(name: str, expected: tuple[int, int | None] | None) -> None:
    assert named_track(name) == expected


# --- reading ---------------------------------------------------------------------------------------------


def table(response: Any) -> list[list[str]]:
    """The lines of the answer, heading first."""
    assert response.status_code == 200, response.content
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode(), newline="")))


def kept(shop: Any, started_at: datetime, seconds: float = 60, **names: str) -> None:
    """A row of the log."""
    with system_scope("test data"):
        MusicPlay.objects.create(
            **{
                "client": shop.client,
                "device_name": "Speaker",
                "floor_name": "Ground",
                "title": "Song",
                "segment": "music-1-1",
                "started_at": started_at,
                "heard_until": started_at + timedelta(seconds=seconds),
            }
            | names
        )


def test_a_month_as_csv(shop: Any, call: Any, other_shop: Any) -> None:
    with system_scope("test"):
        shop.client.timezone = "Europe/Berlin"
        shop.client.save()
    kept(shop, datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC), title="June")
    kept(shop, datetime(2026, 6, 30, 22, tzinfo=UTC), 61.6, artist="Ann", album="Blue", isrc="GBAYE6800011")
    kept(shop, datetime(2026, 7, 31, 21, 59, 59, tzinfo=UTC), title="Last, “of” July\nindeed")
    kept(shop, datetime(2026, 7, 31, 22, tzinfo=UTC), title="August")
    kept(shop, datetime(2026, 7, 3, tzinfo=UTC), 0.4, title="Not heard")
    kept(other_shop, datetime(2026, 7, 3, tzinfo=UTC), title="Foreign")
    response = call(shop.admin).get(URL, {"month": "2026-07", "format": "csv"})
    assert response["Content-Type"].startswith("text/csv")
    assert response["Content-Disposition"] == f'attachment; filename="music-{shop.client.pk}-2026-07.csv"'
    assert table(response) == [
        list(HEADINGS),
        ["Ground", "Speaker", "Song", "Ann", "Blue", "GBAYE6800011", "2026-07-01T00:00:00+02:00", "62"],
        ["Ground", "Speaker", "Last, “of” July\nindeed", "", "", "", "2026-07-31T23:59:59+02:00", "60"],
    ]


def test_from_the_reports_to_the_file(shop: Any, call: Any) -> None:
    (track,) = tracks(shop.client, 1, name="=HYPERLINK(1)", artist="@you")
    device = shop.devices[0]
    observe(*(music(device, at, track) for at in range(0, 61, 15)))
    (_, line) = table(call(shop.admin).get(URL, {"month": "2026-07"}))
    assert line == [
        "Ground",
        "Speaker Ground",
        "'=HYPERLINK(1)",
        "'@you",
        "",
        "",
        "2026-07-01T12:00:00+00:00",
        "60",
    ]


def test_a_month_without_music_is_a_heading(shop: Any, call: Any) -> None:
    assert table(call(shop.admin).get(URL, {"month": "2026-07"})) == [list(HEADINGS)]


def test_many_lines(shop: Any, call: Any) -> None:
    with system_scope("test data"):
        MusicPlay.objects.bulk_create(
            MusicPlay(
                client=shop.client,
                device_name="Speaker",
                title=f"Song {number}",
                segment="s",
                started_at=NOON + timedelta(seconds=number),
                heard_until=NOON + timedelta(seconds=number + 60),
            )
            for number in range(4500)
        )
    lines = table(call(shop.admin).get(URL, {"month": "2026-07"}))
    assert [line[2] for line in lines[1:]] == [f"Song {number}" for number in range(4500)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "month"),
        ({"month": "2026-13"}, "month"),
        ({"month": "2026-7"}, "month"),
        ({"month": "2026-07-01"}, "month"),
        ({"month": "July"}, "month"),
        ({"month": "2026-07", "format": "xlsx"}, "format"),
        ({"month": "2026-07", "client": "x"}, "client"),
    ],
)
def test_what_cannot_be_asked(shop: Any, call: Any, query: dict[str, str], field: str) -> None:
    response = call(shop.admin).get(URL, query)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_who_may_read_it(shop: Any, other_shop: Any, staff: Any, call: Any) -> None:
    kept(shop, NOON, title="Ours")
    month = {"month": "2026-07"}
    assert call(None).get(URL, month).status_code == 401
    assert call(shop.floor_user).get(URL, month).status_code == 403
    assert len(table(call(other_shop.admin).get(URL, month))) == 1
    foreign = call(other_shop.admin).get(URL, month | {"client": shop.client.pk})
    assert foreign.status_code == 400
    unnamed = call(staff).get(URL, month)
    assert [error["code"] for error in unnamed.json()["errors"]] == ["required"]
    assert len(table(call(staff).get(URL, month | {"client": shop.client.pk}))) == 2


@pytest.mark.parametrize(
    ("zone", "month", "start", "end"),
    [
        ("UTC", 12, datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        (
            "America/New_York",
            11,
            datetime(2026, 11, 1, 4, tzinfo=UTC),
            datetime(2026, 12, 1, 5, tzinfo=UTC),
        ),
    ],
)
def test_a_month_on_the_business_clock(shop: Any, zone: str, month: int, start: Any, end: Any) -> None:
    shop.client.timezone = zone
    assert month_of(shop.client, 2026, month) == (start, end)
