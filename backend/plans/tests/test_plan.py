"""The plan of one device: what is in it, who gets it, and when it is another one."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import msgspec
import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Client
from common import clock
from common.tenancy import system_scope
from devices.plan import Asset, Occurrence, Plan, Silence, etag_of
from devices.protocol import Desired
from devices.services import rotate_token
from devices.tests.shop_floor import row_of
from events.domain import ledger
from events.tests.support import make_announcement, make_event
from plans.builder import plan_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, 20, 30, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
HOUR_US = 3_600_000_000
START = clock.to_us(NOW.replace(minute=0, second=0))
END = START + 26 * HOUR_US


def plan(device, now=NOW):
    with system_scope("the test plans"):
        return plan_of(row_of(device), now=now)


def change(rows, **columns):
    with system_scope("test data"):
        rows._meta.model.objects.filter(pk=rows.pk).update(**columns)


def later(shop, **columns):
    """A play in five minutes."""
    return make_event(
        shop, now=NOW, **({"play_at": NOW + 5 * MINUTE, "expires_at": NOW + 6 * MINUTE} | columns)
    )


def test_an_ordered_play_stands_in_the_plan(shop):
    words = make_announcement(shop, gain_db=-3.5, chime="ding", lead_in_ms=1350)
    event = later(shop, announcement=words, volume=44, priority="emergency", override_quiet_hours=True)
    result = plan(shop.devices[0])
    assert (result.device_id, result.timezone) == (shop.devices[0].device_id, "UTC")
    assert (result.valid_from, result.valid_until) == (START, END)
    [occurrence] = result.occurrences
    assert occurrence == Occurrence(
        event_id=str(event.pk),
        announcement_id=words.pk,
        sha256=words.sha256,
        play_at=clock.to_us(event.play_at),
        expires_at=clock.to_us(event.expires_at),
        volume=44,
        priority="emergency",
        late="join",
        lead_in_ms=1350,
        title=words.title,
        overrides_quiet_hours=True,
    )
    [asset] = result.assets
    assert (asset.sha256, asset.bytes, asset.mime, asset.gain_db) == (
        words.sha256,
        40_000,
        "audio/mpeg",
        -3.5,
    )
    assert asset.url.startswith("/media/announcement/")
    assert asset.url_expires_at > clock.to_us(NOW) + 24 * HOUR_US


@pytest.mark.parametrize(
    ("columns", "stands"),
    [
        ({}, True),
        ({"status": ledger.DELIVERED}, True),
        ({"status": ledger.PLAYING}, False),
        ({"status": ledger.COMPLETED}, False),
        ({"status": ledger.FAILED}, False),
        ({"play_at": NOW - MINUTE, "expires_at": NOW}, False),
        ({"play_at": NOW - MINUTE, "expires_at": NOW + SECOND}, True),
        ({"play_at": NOW + 25 * HOUR, "expires_at": NOW + 25 * HOUR + SECOND}, True),
        ({"play_at": NOW + 26 * HOUR, "expires_at": NOW + 26 * HOUR + SECOND}, False),
        ({"waits_for_device": True}, False),
    ],
)
def test_which_plays_stand_in_it(shop, columns, stands):
    later(shop, **columns)
    assert len(plan(shop.devices[0]).occurrences) == stands
    assert plan(shop.devices[1]).occurrences == [], "each device has its own"


def test_one_sound_is_one_asset(shop):
    words = make_announcement(shop)
    for minutes in (5, 10, 15):
        later(shop, announcement=words, play_at=NOW + minutes * MINUTE, expires_at=NOW + HOUR)
    result = plan(shop.devices[0])
    assert (len(result.occurrences), len(result.assets)) == (3, 1)
    assert [each.play_at for each in result.occurrences] == sorted(
        each.play_at for each in result.occurrences
    )


QUIET = {"quiet_hours_start": time(22), "quiet_hours_end": time(6)}


def hours(*edges):
    """Silences in hours from the beginning of the window."""
    return [
        Silence(start_at=START + a * HOUR_US, end_at=START + b * HOUR_US, reason=why) for a, b, why in edges
    ]


@pytest.mark.parametrize(
    ("floor", "client", "silences"),
    [
        ({}, {}, []),
        (QUIET, {}, hours((10, 18, "quiet_hours"))),
        (QUIET | {"timezone": "Asia/Tokyo"}, {}, hours((1, 9, "quiet_hours"), (25, 26, "quiet_hours"))),
        (QUIET, {"status": "suspended"}, hours((0, 26, "client_locked"))),
        ({}, {"status": "trial", "trial_ends_at": NOW - HOUR}, hours((0, 26, "client_locked"))),
        ({}, {"status": "trial", "trial_ends_at": NOW + 40 * HOUR}, []),
        (
            QUIET,
            {"status": "trial", "trial_ends_at": clock.from_us(START + 20 * HOUR_US)},
            hours((10, 18, "quiet_hours"), (20, 26, "client_locked")),
        ),
        ({}, {"status": "active", "trial_ends_at": NOW + HOUR}, []),
    ],
    ids=[
        "none",
        "at night",
        "its own zone",
        "suspended",
        "ended",
        "ends later",
        "ends tomorrow",
        "a paying client",
    ],
)
def test_silences(shop, floor, client, silences):
    change(shop.floors[0], **floor) if floor else None
    change(shop.client, **client) if client else None
    assert plan(shop.devices[0]).silences == silences


def test_a_device_without_a_floor(shop):
    change(shop.devices[0], floor=None)
    change(shop.client, timezone="Europe/Paris")
    result = plan(shop.devices[0])
    assert (result.timezone, result.silences) == ("Europe/Paris", [])


# --- the etag --------------------------------------------------------------------------------------------


def test_the_same_rows_make_the_same_plan_all_through_the_hour(shop):
    later(shop)
    first, again = plan(shop.devices[0]), plan(shop.devices[0], NOW + MINUTE)
    assert first.etag == again.etag
    assert len(first.etag) == 32


@pytest.mark.parametrize(
    "changed",
    [
        lambda shop: later(shop),
        lambda shop: change(shop.devices[0], volume=3, desired_rev=2),
        lambda shop: change(shop.floors[0], **QUIET),
        lambda shop: change(shop.floors[0], max_volume=20),
        lambda shop: change(shop.client, status=Client.Status.SUSPENDED),
    ],
    ids=["a play", "volume", "quiet hours", "the floor's bounds", "a lock"],
)
def test_what_changes_it(shop, changed):
    before = plan(shop.devices[0]).etag
    changed(shop)
    assert plan(shop.devices[0]).etag != before


def test_links_and_the_instant_of_making_do_not_change_it():
    def made(at: int, url: str) -> Plan:
        asset = Asset(
            sha256="a", bytes=1, mime="audio/mpeg", duration_ms=1, gain_db=0.0, url=url, url_expires_at=at
        )
        desired = Desired(rev=1, volume=2)
        return Plan(
            device_id="d",
            generated_at=at,
            valid_from=0,
            valid_until=9,
            timezone="UTC",
            desired=desired,
            assets=[asset],
        )

    assert etag_of(made(1, "/a")) == etag_of(made(2, "/b"))
    other = msgspec.structs.replace(made(1, "/a"), valid_until=10)
    assert etag_of(other) != etag_of(made(1, "/a"))


# --- over HTTP -------------------------------------------------------------------------------------------


@pytest.fixture
def token(shop):
    with system_scope("test data"):
        return rotate_token(device=shop.devices[0])


def get(call, device, token, **headers):
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    return call(None).get(f"/api/devices/{device.pk}/plan/", headers=bearer | headers)


def test_a_device_fetches_its_plan_once(call, shop, token):
    answer = get(call, shop.devices[0], token)
    assert answer.status_code == 200
    fetched = msgspec.json.decode(answer.content, type=Plan)
    assert answer["ETag"] == f'"{fetched.etag}"'
    assert answer["Cache-Control"] == "private, no-cache"
    for sent in (answer["ETag"], f'"x", {answer["ETag"]}'):
        again = get(call, shop.devices[0], token, **{"If-None-Match": sent})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    assert get(call, shop.devices[0], token, **{"If-None-Match": '"x"'}).status_code == 200


def test_a_device_fetches_nobody_elses_plan(call, shop, other_shop, token):
    for device in (shop.devices[1], other_shop.devices[0]):
        assert get(call, device, token).status_code == 404
    assert get(call, shop.devices[0], "rubbish").status_code == 401
    assert get(call, shop.devices[0], None).status_code == 401
    change(shop.devices[0], revoked_at=NOW)
    assert get(call, shop.devices[0], token).status_code == 401


@pytest.mark.parametrize(("who", "seen"), [("admin", [200, 200, 404]), ("floor_user", [200, 404, 404])])
def test_people_see_the_plans_of_the_devices_that_they_see(call, shop, other_shop, who, seen):
    api = call(getattr(shop, who))
    devices = [*shop.devices, other_shop.devices[0]]
    assert [api.get(f"/api/devices/{device.pk}/plan/").status_code for device in devices] == seen


def test_a_plan_with_twenty_plays_costs_as_many_queries_as_with_one(call, shop, token):
    counts = []
    for more in (1, 19):
        for _ in range(more):
            later(shop, play_at=clock.now() + HOUR, expires_at=clock.now() + 2 * HOUR)
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert get(call, shop.devices[0], token).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
