"""The programme in the plan of a device."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common import clock
from common.tenancy import system_scope
from devices.models import Device
from devices.plan import Plan
from plans.builder import plan_of
from playlists import airing, renewal, services
from playlists.domain import programme_event_id
from playlists.services import Assignment, Entry
from playlists.tests.support import HOUR, NOON, NOON_US, tracks, words


@pytest.fixture
def on_air(shop: Any) -> Any:
    """A playlist of 20 tracks and two announcements on both floors of the shop, since NOON."""
    with system_scope("test data"):
        shop.tracks = tracks(shop.client, 20)
        shop.spoken = [words(shop.client), words(shop.client)]
        shop.playlist = services.create_playlist(
            client=shop.client,
            by=shop.admin,
            name="Morning",
            items=[Entry(sound) for sound in (*shop.tracks, *shop.spoken)],
        )
        services.assign_floors(
            playlist=shop.playlist, assignments=[Assignment(floor) for floor in shop.floors]
        )
    renewal.renew(now=NOON)
    return shop


def plan(device: Device, after: timedelta = timedelta(0)) -> Plan:
    """The device's plan, so long after NOON."""
    with system_scope("test"):
        fresh = Device.objects.select_related("floor__client", "client").get(pk=device.pk)
        return plan_of(fresh, now=NOON + after)


def test_a_day_of_music_and_announcements(on_air: Any) -> None:
    device = on_air.devices[0]
    planned = plan(device)
    assert (planned.valid_from, planned.valid_until) == (NOON_US, NOON_US + 26 * HOUR)
    assert planned.programme[0].start_at == NOON_US
    assert planned.programme[-1].end_at >= NOON_US + 26 * HOUR
    assert [s.start_at for s in planned.programme] == sorted(s.start_at for s in planned.programme)
    assert len({segment.id for segment in planned.programme}) == len(planned.programme)
    # Every sound is there once, and no other.
    assert sorted(asset.sha256 for asset in planned.assets) == sorted(
        {segment.sha256 for segment in planned.programme}
    )
    assert {asset.sha256 for asset in planned.assets} == {s.sha256 for s in (*on_air.tracks, *on_air.spoken)}
    first = planned.programme[0]
    track = next(track for track in on_air.tracks if track.pk == first.music_id)
    assert (first.kind, first.title, first.artist) == ("music", track.name, "The Band")
    assert (first.end_at - first.start_at, first.fade_out_ms) == (180_000_000, 2000)
    assert (first.event_id, first.announcement_id, first.playlist_id) == (None, None, on_air.playlist.pk)
    spoken = next(segment for segment in planned.programme if segment.kind == "announcement")
    playlist, floor = str(on_air.playlist.pk), str(device.floor_id)
    assert spoken.event_id == str(programme_event_id(playlist, floor, spoken.start_at, str(device.pk)))
    assert (spoken.music_id, spoken.title) == (None, on_air.spoken[0].title)


def test_the_links_are_those_of_the_sounds(on_air: Any, client: Any, settings: Any) -> None:
    links = {asset.sha256: asset for asset in plan(on_air.devices[0]).assets}
    track, spoken = links[on_air.tracks[0].sha256], links[on_air.spoken[0].sha256]
    assert track.url.startswith(f"/media/music/{on_air.tracks[0].pk}/{track.sha256}?")
    assert spoken.url.startswith(f"/media/announcement/{on_air.spoken[0].pk}/{spoken.sha256}?")
    assert track.url_expires_at == NOON_US + 25 * HOUR
    assert (track.bytes, track.mime, track.duration_ms) == (1000, "audio/mpeg", 180_000)


def test_all_devices_of_a_floor_play_the_same(on_air: Any) -> None:
    with system_scope("test data"):
        second = Device.objects.create(
            client=on_air.client, floor=on_air.floors[0], name="Second", device_id="hw-second"
        )
    one, other, upper = plan(on_air.devices[0]), plan(second), plan(on_air.devices[1])

    def heard(planned: Plan) -> list[Any]:
        return [(segment.id, segment.start_at, segment.end_at) for segment in planned.programme]

    def events(planned: Plan) -> set[Any]:
        return {segment.event_id for segment in planned.programme} - {None}

    assert heard(one) == heard(other) != heard(upper)
    assert not events(one) & events(other)
    assert one.assets == other.assets


def test_the_etag_holds_while_nothing_changes(on_air: Any, django_assert_num_queries: Any) -> None:
    device = on_air.devices[0]
    first = plan(device)
    later = plan(device, timedelta(minutes=59))
    assert (first.etag, first.generated_at) != (later.etag, later.generated_at)
    assert first.etag == later.etag
    airing.write_ahead(now=NOON + timedelta(minutes=16))  # rows of the ledger are no occurrences of their own
    assert plan(device, timedelta(minutes=16)).etag == first.etag
    assert plan(device, timedelta(minutes=16)).occurrences == []
    with system_scope("test"):
        services.update_playlist(playlist=on_air.playlist, items=[Entry(on_air.tracks[0])])
    assert plan(device, timedelta(minutes=17)).etag == first.etag  # until the tick has read it
    renewal.renew(now=NOON + timedelta(minutes=17))
    assert plan(device, timedelta(minutes=17)).etag != first.etag


def test_the_device_fetches_it(on_air: Any, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    device = on_air.devices[0]
    url = f"/api/devices/{device.pk}/plan/"
    response = call(on_air.admin).get(url)
    document = response.json()
    assert len(document["programme"]) > 500
    again = call(on_air.admin).get(url, HTTP_IF_NONE_MATCH=response["ETag"])
    assert again.status_code == 304


def test_a_device_on_no_floor_has_no_programme(on_air: Any) -> None:
    device = on_air.devices[0]
    with system_scope("test"):
        Device.objects.filter(pk=device.pk).update(floor=None)
    assert (plan(device).programme, plan(device).assets) == ([], [])


def test_what_was_removed_is_not_planned(on_air: Any) -> None:
    gone, replaced = on_air.tracks[0], on_air.spoken[0]
    with system_scope("test"):
        gone.delete()
        type(replaced).objects.filter(pk=replaced.pk).update(sha256="e" * 64)
    planned = plan(on_air.devices[0])
    assert gone.sha256 not in {asset.sha256 for asset in planned.assets}
    assert {segment.title for segment in planned.programme if segment.kind == "announcement"} == {
        on_air.spoken[1].title
    }
    assert {segment.sha256 for segment in planned.programme} == {asset.sha256 for asset in planned.assets}


def test_the_same_content_uploaded_twice_is_one_asset(on_air: Any) -> None:
    (twin,) = tracks(on_air.client, 1, sha256=on_air.tracks[0].sha256)
    with system_scope("test"):
        entries = [Entry(on_air.tracks[0]), Entry(twin)]
        services.update_playlist(playlist=on_air.playlist, items=entries)
    renewal.renew(now=NOON)
    planned = plan(on_air.devices[0], timedelta(hours=1))
    assert [asset.sha256 for asset in planned.assets] == [twin.sha256]
    assert {segment.music_id for segment in planned.programme} == {twin.pk, on_air.tracks[0].pk}


def test_the_number_of_queries_does_not_grow(on_air: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            plan(on_air.devices[0])
        return len(captured)

    before = queries()
    with system_scope("test"):
        more = [Entry(sound) for sound in (*on_air.tracks, *tracks(on_air.client, 60))]
        services.update_playlist(playlist=on_air.playlist, items=more)
    renewal.renew(now=NOON)
    assert queries() <= before
