"""A programme's announcements on the record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from common import clock
from common.tenancy import system_scope
from devices import bus, protocol
from devices.models import Device
from devices.ports import DeviceReport
from events import sweeper
from events.delivery import EventLedger
from events.models import PlayEvent
from playlists import airing
from playlists.content import announcements
from playlists.domain import programme_event_id
from playlists.models import FloorProgramme
from playlists.tests.support import NOON, tracks, words

NOW = timedelta(0)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def write(after: timedelta) -> int:
    """The tick's second half, so long after NOON."""
    return airing.write_ahead(now=NOON + after)


def events() -> list[PlayEvent]:
    with system_scope("test"):
        return list(PlayEvent.objects.order_by("play_at", "device_id"))


@pytest.fixture
def speaking(air: Any) -> Any:
    """Tracks of 3 minutes, and an announcement of 10 s every 15 minutes; two devices on the floor."""
    with system_scope("test data"):
        air.second = Device.objects.create(
            client=air.shop.client, floor=air.floor, name="Second", device_id="hw-second", volume=40
        )
    air.spoken = words(air.shop.client)
    air.hold(*tracks(air.shop.client, 2), air.spoken)
    air.renew()
    return air


def first_spoken(air: Any) -> Any:
    """The first announcement after NOON."""
    return announcements(air.heard(NOW, timedelta(hours=1)))[0]


def test_rows_are_written_two_minutes_ahead_once(speaking: Any) -> None:
    segment = first_spoken(speaking)
    starts = clock.from_us(segment.start)
    ahead = starts - NOON - minutes(2)
    assert write(ahead - timedelta(seconds=1)) == 0
    assert write(ahead + timedelta(seconds=1)) == 2
    assert write(ahead + timedelta(seconds=2)) == 0
    rows = events()
    devices = [speaking.shop.devices[0], speaking.second]
    assert [(row.device_id, row.device_name, row.volume) for row in rows] == [
        (devices[0].pk, "Speaker Ground", 75),
        (devices[1].pk, "Second", 40),
    ]
    playlist, floor = str(speaking.playlist.pk), str(speaking.floor.pk)
    for row, device in zip(rows, devices, strict=True):
        assert row.pk == programme_event_id(playlist, floor, segment.start, str(device.pk))
        assert (row.play_at, row.expires_at) == (starts, clock.from_us(segment.end))
        assert (row.event_type, row.priority, row.status, row.late) == (
            "scheduled",
            "playlist",
            "pending",
            "join",
        )
        assert (row.announcement_title, row.floor_name) == (speaking.spoken.title, "Ground")
    assert len({row.play_id for row in rows}) == 1


def test_every_announcement_of_a_day_gets_its_row(speaking: Any) -> None:
    for step in range(0, 24 * 60, 5):
        write(minutes(step))
    planned = announcements(speaking.heard(NOW, minutes(23 * 60 + 57)))
    assert len(planned) > 90
    assert [clock.to_us(row.play_at) for row in events()[::2]] == [segment.start for segment in planned]


def test_what_a_server_that_was_down_did_not_see_is_missed(speaking: Any) -> None:
    write(NOW)
    segment = first_spoken(speaking)
    write(timedelta(hours=5))
    rows = events()
    assert len(rows) == 2 * len(announcements(speaking.heard(NOW, timedelta(hours=5) + airing.AHEAD)))
    over = [row for row in rows if row.expires_at <= NOON + timedelta(hours=5)]
    assert {(row.status, row.reason) for row in over} == {("failed", "missed")}
    # A device that played it from its plan says so.
    message = protocol.PlaybackComplete(
        event_id=str(rows[0].pk), started_at=segment.start, ended_at=segment.end, played_ms=10_000
    )
    EventLedger().store(
        [DeviceReport(rows[0].device_id or 0, message, NOON + timedelta(hours=6))],
        now=NOON + timedelta(hours=6),
    )
    with system_scope("test"):
        rows[0].refresh_from_db()
        assert (rows[0].status, rows[0].started_at) == ("completed", clock.from_us(segment.start))
        assert [change.correction for change in rows[0].history] == [False, True]


def test_after_a_long_outage_its_last_week_is_written_down(speaking: Any) -> None:
    write(NOW)
    back = timedelta(days=30)
    write(back)
    assert events()[0].play_at >= NOON + back - airing.RECORDED_FOR
    assert write(back + timedelta(seconds=5)) == 0


def test_a_locked_business_announces_nothing(speaking: Any) -> None:
    with system_scope("test"):
        type(speaking.shop.client).objects.update(status="suspended")
    for step in range(0, 60, 5):
        write(minutes(step))
    assert events() == []
    with system_scope("test"):
        type(speaking.shop.client).objects.update(status="active")
    write(minutes(61))
    write(minutes(120))
    assert {row.play_at >= NOON + minutes(60) for row in events()} == {True}


def test_a_revoked_device_has_no_rows(speaking: Any) -> None:
    with system_scope("test"):
        Device.objects.filter(pk=speaking.second.pk).update(revoked_at=NOON)
    write(minutes(16))
    assert {row.device_id for row in events()} == {speaking.shop.devices[0].pk}


def test_without_announcements_the_floor_is_left_alone_for_a_day(air: Any) -> None:
    air.hold(*tracks(air.shop.client, 2))
    air.renew()
    assert write(NOW) == 0
    with system_scope("test"):
        programme = FloorProgramme.objects.get(floor=air.floor)
        assert programme.announcements_from == NOON + timedelta(hours=26)


def test_a_change_closes_the_rows_that_it_makes_untrue(
    speaking: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    segment = first_spoken(speaking)
    soon = clock.from_us(segment.start) - NOON - minutes(1)
    write(soon)
    assert {row.status for row in events()} == {"pending"}
    with system_scope("test"):
        Device.objects.filter(pk=speaking.second.pk).update(plain=True)
    speaking.hold(*tracks(speaking.shop.client, 2, seconds=300))
    told: list[Any] = []
    monkeypatch.setattr(bus, "publish", lambda *messages: told.extend(messages))
    with django_capture_on_commit_callbacks(execute=True):
        # Within the track before it: the change is heard instead of the announcement.
        speaking.renew(soon)
    cancelled = [frame.devices for frame in told if isinstance(frame.message, protocol.CancelAnnouncement)]
    assert cancelled == [[speaking.second.pk]]  # the other one learns it from its plan
    assert {(row.status, row.reason) for row in events()} == {("failed", "superseded")}
    assert write(soon + minutes(60)) == 0


def test_a_change_too_late_for_the_next_announcement_leaves_it(speaking: Any) -> None:
    segment = first_spoken(speaking)
    at_last = clock.from_us(segment.start) - NOON - timedelta(seconds=2)
    write(at_last)
    speaking.hold(*tracks(speaking.shop.client, 2))
    speaking.renew(at_last)
    assert first_spoken(speaking) == segment
    assert {row.status for row in events()} == {"pending"}


def test_a_change_leaves_what_is_still_true(speaking: Any) -> None:
    speaking.hold(speaking.spoken)  # alone, it is said on the quarter of an hour
    speaking.renew(minutes(1))
    write(minutes(14))
    assert [row.play_at for row in events()] == [NOON + minutes(15)] * 2
    speaking.hold(speaking.spoken, words(speaking.shop.client), default_music_interval=1)
    speaking.renew(minutes(14))
    write(minutes(14))
    assert [(row.status, row.play_at) for row in events()] == [
        ("pending", NOON + minutes(15)),
        ("pending", NOON + minutes(15)),
        ("pending", NOON + minutes(15) + timedelta(seconds=10)),
        ("pending", NOON + minutes(15) + timedelta(seconds=10)),
    ]


def receipt(air: Any, segment: Any, at: timedelta, *, started: bool = True) -> None:
    """The first device hands in the receipt of this announcement."""
    device = air.shop.devices[0]
    event_id = programme_event_id(segment.playlist_id, str(air.floor.pk), segment.start, str(device.pk))
    message = protocol.PlaybackComplete(
        event_id=str(event_id),
        outcome="played" if started else "skipped_quiet",
        started_at=segment.start if started else None,
        ended_at=segment.end if started else None,
    )
    EventLedger().store([DeviceReport(device.pk, message, NOON + at)], now=NOON + at)


@pytest.mark.parametrize(("started", "status"), [(True, "completed"), (False, "failed")])
def test_a_receipt_finds_its_row_by_what_was_planned(speaking: Any, started: bool, status: str) -> None:
    segment = announcements(speaking.heard(NOW, timedelta(hours=3)))[-1]
    receipt(speaking, segment, timedelta(hours=9), started=started)
    (row,) = events()
    assert (row.status, row.play_at) == (status, clock.from_us(segment.start))
    assert row.announcement_id == speaking.spoken.pk


def test_a_device_that_was_away_played_by_an_older_revision(speaking: Any) -> None:
    old = announcements(speaking.heard(NOW, timedelta(hours=3)))[-1]
    for after in (20, 40):
        speaking.hold(*tracks(speaking.shop.client, 3), speaking.spoken, default_announcement_interval=7)
        speaking.renew(minutes(after))
    assert old not in speaking.heard(NOW, timedelta(hours=3))
    receipt(speaking, old, timedelta(hours=9))
    assert [(row.status, row.play_at) for row in events()] == [("completed", clock.from_us(old.start))]


def test_nobody_has_played_what_is_still_to_come(speaking: Any) -> None:
    coming = announcements(speaking.heard(NOW, timedelta(hours=3)))[-1]
    device = speaking.shop.devices[0]
    event_id = programme_event_id(coming.playlist_id, str(speaking.floor.pk), coming.start, str(device.pk))
    message = protocol.PlaybackComplete(event_id=str(event_id), started_at=clock.to_us(NOON))
    EventLedger().store([DeviceReport(device.pk, message, NOON)], now=NOON)
    assert events() == []


def test_another_floors_announcement_is_not_this_devices(speaking: Any) -> None:
    segment = first_spoken(speaking)
    stranger = speaking.shop.devices[1]
    event_id = programme_event_id(
        segment.playlist_id, str(speaking.floor.pk), segment.start, str(stranger.pk)
    )
    message = protocol.PlaybackComplete(event_id=str(event_id), started_at=segment.start)
    EventLedger().store([DeviceReport(stranger.pk, message, NOON + minutes(30))], now=NOON + minutes(30))
    assert events() == []


def test_a_device_that_says_nothing_is_swept(speaking: Any) -> None:
    write(minutes(16))
    sweeper.sweep(now=NOON + timedelta(hours=1))
    assert {(row.status, row.reason) for row in events()} == {("failed", "offline")}


def test_the_number_of_queries_does_not_grow_with_the_devices(
    speaking: Any, django_assert_max_num_queries: Any
) -> None:
    with system_scope("test data"):
        for number in range(30):
            Device.objects.create(
                client=speaking.shop.client, floor=speaking.floor, name="x", device_id=f"hw-many-{number}"
            )
    with django_assert_max_num_queries(16):
        assert write(minutes(16)) == 32
