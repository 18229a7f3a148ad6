"""`POST /api/announcements/{id}/play/`: who may play what where, and what comes of each field."""

from __future__ import annotations

import json
from datetime import time, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditLog
from clients.models import Client
from common import clock
from common.media_fields import Readiness
from common.tenancy import system_scope
from conftest import make_business
from devices.hub import Plays
from devices.models import Device
from events.ids import instant_event_ids
from events.models import PlayEvent
from events.tests.support import NOW, history, make_announcement, online
from zones.models import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at")]
SECOND = timedelta(seconds=1)


@pytest.fixture
def words(shop):
    """A ready announcement of our shop, whose devices are online."""
    online(*shop.devices, now=NOW)
    return make_announcement(shop, title="Closing soon", chime="ding", lead_in_ms=1350)


@pytest.fixture
def play(call, words, shop, published, commit):
    """`play(devices=[…])` as the client admin; `who=` and `what=` change caller and announcement."""

    def post(who=None, what=None, key=None, **body):
        headers = {"Idempotency-Key": key} if key else {}
        with commit():
            return call(who or shop.admin).post(
                f"/api/announcements/{what or words.pk}/play/", body, format="json", headers=headers
            )

    return post


def events():
    with system_scope("the test looks at the rows"):
        return list(PlayEvent.objects.order_by("device_id"))


def hang(shop, **columns):
    """One more device on the first floor."""
    with system_scope("test data"):
        number = Device.objects.count()
        return Device.objects.create(
            client=shop.client,
            **{"floor": shop.floors[0], "name": "More", "device_id": f"m{number}"} | columns,
        )


def test_an_order_says_what_will_happen_and_tells_the_devices(play, shop, words, published):
    ground, upper = shop.devices
    answer = play(all=True, volume=40)
    assert answer.status_code == 202, answer.data
    body = answer.json()
    start = NOW + SECOND
    assert (body["devices"], body["offline"], len(body["events"])) == (2, 0, 2)
    assert body["play_at"] == "2026-03-02T12:00:01Z"
    first = body["events"][0]
    assert first["id"] == str(*instant_event_ids(UUID(body["play_id"]), [ground.pk]))
    assert (first["device"], first["device_name"], first["floor"]) == (
        ground.pk,
        ground.name,
        ground.floor_id,
    )
    assert (first["status"], first["offline"], first["volume"]) == ("pending", False, 40)
    assert first["expires_at"] == "2026-03-02T12:00:03Z"
    row = events()[0]
    assert (row.announcement_title, row.event_type, row.created_by_id) == (
        "Closing soon",
        "instant",
        shop.admin.pk,
    )
    with system_scope("test"):
        [birth] = row.history
    assert (birth.status, birth.source, birth.at) == ("pending", "user", row.created_at)
    assert history(row) == []
    [sent] = published
    assert isinstance(sent, Plays)
    assert [(t.device, t.volume, t.play_at) for t in sent.targets] == [
        (ground.pk, 40, clock.to_us(start)),
        (upper.pk, 40, clock.to_us(start)),
    ]
    assert (sent.common.announcement_id, sent.common.sha256) == (words.pk, words.sha256)
    assert (sent.common.title, sent.common.lead_in_ms) == ("Closing soon", 1350)
    assert sent.common.audio_url.startswith("/media/announcement/")


@pytest.mark.parametrize(
    ("where", "devices"),
    [
        (lambda s: {"all": True}, [0, 1]),
        (lambda s: {"floors": [s.floors[0].pk]}, [0]),
        (lambda s: {"floors": [f.pk for f in s.floors]}, [0, 1]),
        (lambda s: {"devices": [s.devices[1].pk]}, [1]),
        (lambda s: {"devices": [s.devices[0].pk, s.devices[0].pk]}, [0]),
        (lambda s: {"devices": [s.devices[0].pk], "floors": [s.floors[0].pk]}, [0]),
        (lambda s: {"devices": [s.devices[0].pk], "floors": [s.floors[1].pk]}, [0, 1]),
        (lambda s: {"devices": [], "floors": [], "all": True}, [0, 1]),
    ],
    ids=["all", "a floor", "floors", "a device", "twice", "overlapping", "both", "all wins"],
)
def test_where(play, shop, other_shop, where, devices):
    answer = play(**where(shop))
    assert answer.status_code == 202, answer.data
    assert [event.device for event in events()] == [shop.devices[number] for number in devices]


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, "no_devices", None),
        ({"devices": []}, 400, "no_devices", None),
        ({"all": False}, 400, "no_devices", None),
        ({"devices": ["x"]}, 400, "incorrect_type", "devices.0"),
        ({"devices": 7}, 400, "not_a_list", "devices"),
        ({"devices": [10**12]}, 400, "does_not_exist", "devices.0"),
        ({"all": True, "volume": 101}, 400, "max_value", "volume"),
        ({"all": True, "volume": -1}, 400, "min_value", "volume"),
        ({"all": True, "volume": "loud"}, 400, "invalid", "volume"),
        ({"all": True, "priority": "timeline"}, 400, "invalid_choice", "priority"),
        ({"all": True, "play_at": "tomorrow"}, 400, "invalid", "play_at"),
        ({"all": True, "play_at": "2026-03-02T11:59:59Z"}, 400, "validation_failed", "play_at"),
        ({"all": True, "play_at": "2026-03-03T12:00:01Z"}, 400, "validation_failed", "play_at"),
        ({"all": True, "override_quiet_hours": "perhaps"}, 400, "invalid", "override_quiet_hours"),
    ],
)
def test_what_cannot_be_asked(play, published, body, status, code, field):
    answer = play(**body)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    assert (error["code"], error["field"]) == (code, field)
    assert published == []


def test_a_floor_without_devices(play, shop):
    with system_scope("test"):
        empty = Floor.objects.create(client=shop.client, name="Cellar")
    answer = play(floors=[empty.pk])
    assert (answer.status_code, answer.json()["code"]) == (400, "no_devices")


@pytest.mark.parametrize(
    ("asked", "play_at"),
    [
        ("2026-03-02T12:00:00Z", "2026-03-02T12:00:01Z"),
        ("2026-03-02T12:00:00.5Z", "2026-03-02T12:00:01Z"),
        ("2026-03-02T18:30:00Z", "2026-03-02T18:30:00Z"),
        ("2026-03-02T20:30:00+02:00", "2026-03-02T18:30:00Z"),
        ("2026-03-03T12:00:00Z", "2026-03-03T12:00:00Z"),
    ],
    ids=["now is too soon", "so is this", "later", "another zone", "24 hours"],
)
def test_when(play, asked, play_at):
    assert play(all=True, play_at=asked).json()["play_at"] == play_at


def test_one_device_need_not_wait_for_others(play, shop):
    assert play(devices=[shop.devices[0].pk]).json()["play_at"] == "2026-03-02T12:00:00.162000Z"


@pytest.mark.parametrize(
    ("bounds", "device_volume", "asked", "volume"),
    [
        ((0, 100), 75, None, 75),
        ((0, 100), 75, 20, 20),
        ((30, 60), 75, None, 60),
        ((30, 60), 10, None, 30),
        ((30, 60), 10, 100, 60),
        ((30, 60), 10, 0, 30),
    ],
)
def test_how_loud(play, shop, bounds, device_volume, asked, volume):
    with system_scope("test"):
        Floor.objects.filter(pk=shop.floors[0].pk).update(min_volume=bounds[0], max_volume=bounds[1])
        Device.objects.filter(pk=shop.devices[0].pk).update(volume=device_volume)
    body = {"devices": [shop.devices[0].pk]} | ({} if asked is None else {"volume": asked})
    assert play(**body).json()["events"][0]["volume"] == volume


def test_offline_devices_are_said_and_waited_for(play, shop):
    online(shop.devices[1], now=NOW - 46 * SECOND)
    body = play(all=True).json()
    assert (body["devices"], body["offline"]) == (2, 1)
    assert [event["offline"] for event in body["events"]] == [False, True]
    here, away = events()
    assert here.expires_at == here.play_at + 2 * SECOND
    assert away.expires_at == away.play_at + 60 * SECOND
    assert away.waits_for_device
    assert body["play_at"] == "2026-03-02T12:00:00.162000Z", "the one that is online waits for nobody"


def test_nobody_online_is_not_refused(play, shop):
    online(*shop.devices, now=NOW - timedelta(hours=1))
    assert play(all=True).json()["offline"] == 2


def test_a_revoked_device_is_left_out(play, shop):
    with system_scope("test"):
        Device.objects.filter(pk=shop.devices[1].pk).update(revoked_at=NOW)
    assert play(all=True).json()["devices"] == 1


# --- who -------------------------------------------------------------------------------------------------


def test_a_floor_user_plays_on_their_own_floor_only(play, shop):
    body = play(who=shop.floor_user, all=True).json()
    assert [event["device"] for event in body["events"]] == [shop.devices[0].pk]


@pytest.mark.parametrize("where", ["devices", "floors"])
@pytest.mark.parametrize("whose", ["another floor", "another tenant"])
def test_what_the_caller_does_not_see_in_a_body_is_400(play, shop, other_shop, where, whose):
    their = shop if whose == "another floor" else other_shop
    row = getattr(their, where)[1]
    answer = play(who=shop.floor_user, **{where: [row.pk]})
    assert answer.status_code == 400
    assert answer.json()["errors"][0] == {
        "field": f"{where}.0",
        "code": "does_not_exist",
        "detail": f"There is no such {where[:-1]} with the id {row.pk}.",
    }


def test_another_tenants_announcement_is_404(play, other_shop, shop):
    theirs = make_announcement(other_shop)
    answer = play(what=theirs.pk, all=True)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_staff_play_for_one_client_at_a_time(play, shop, other_shop, staff):
    assert play(who=staff, all=True).json()["devices"] == 2
    assert {event.client_id for event in events()} == {shop.client.pk}


def test_staff_cannot_play_on_another_clients_device(play, other_shop, staff):
    answer = play(who=staff, devices=[other_shop.devices[0].pk])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "other_client"


def test_nobody_anonymous(client, words):
    assert client.post(f"/api/announcements/{words.pk}/play/", {"all": True}).status_code == 401


# --- the state of things ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"enabled": False}, "announcement_disabled"),
        ({"status": Readiness.GENERATING, "audio_file": ""}, "not_ready"),
        ({"status": Readiness.PROCESSING, "audio_file": ""}, "not_ready"),
        ({"status": Readiness.FAILED, "failure_detail": "no voice", "audio_file": ""}, "not_ready"),
    ],
)
def test_what_is_not_ready_is_refused(play, shop, columns, code):
    answer = play(what=make_announcement(shop, **columns).pk, all=True)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert columns.get("failure_detail", "") in answer.json()["detail"]


QUIET = {"quiet_hours_start": time(11, 30), "quiet_hours_end": time(13)}


@pytest.mark.parametrize(
    ("zone", "body", "status"),
    [
        ("UTC", {}, 409),
        ("UTC", {"override_quiet_hours": True}, 202),
        ("UTC", {"priority": "emergency"}, 202),
        ("UTC", {"play_at": "2026-03-02T12:59:59Z"}, 409),
        ("UTC", {"play_at": "2026-03-02T13:00:00Z"}, 202),
        ("Europe/Paris", {}, 202),
        ("Europe/Paris", {"play_at": "2026-03-03T10:45:00Z"}, 409),
    ],
)
def test_quiet_hours(play, shop, zone, body, status):
    with system_scope("test"):
        Floor.objects.filter(pk=shop.floors[0].pk).update(timezone=zone, **QUIET)
    answer = play(all=True, **body)
    assert answer.status_code == status
    if status == 409:
        assert (answer.json()["code"], answer.json()["floors"]) == ("quiet_hours", ["Ground"])
    else:
        assert {event.override_quiet_hours for event in events()} == {"override_quiet_hours" in body}


def test_quiet_hours_of_a_floor_that_is_not_played_on_do_not_matter(play, shop):
    with system_scope("test"):
        Floor.objects.filter(pk=shop.floors[0].pk).update(**QUIET)
    assert play(floors=[shop.floors[1].pk]).status_code == 202


@pytest.mark.parametrize(
    ("columns", "body", "status", "code"),
    [
        ({"status": Client.Status.SUSPENDED}, {}, 403, "client_suspended"),
        ({"status": Client.Status.TRIAL, "trial_ends_at": NOW}, {}, 402, "trial_ended"),
        ({"status": Client.Status.TRIAL, "trial_ends_at": NOW + SECOND}, {}, 202, None),
        ({"status": Client.Status.SUSPENDED}, {"priority": "emergency"}, 202, None),
        ({"status": Client.Status.TRIAL, "trial_ends_at": NOW}, {"priority": "emergency"}, 202, None),
    ],
)
@pytest.mark.parametrize("as_staff", [False, True])
def test_a_locked_business_hears_emergencies_only(play, shop, staff, columns, body, status, code, as_staff):
    with system_scope("test"):
        Client.objects.filter(pk=shop.client.pk).update(**columns)
    answer = play(who=staff if as_staff else shop.floor_user, floors=[shop.floors[0].pk], **body)
    assert (answer.status_code, answer.json().get("code")) == (status, code)


def test_an_override_and_an_emergency_are_audited(play, shop, words):
    play(all=True, override_quiet_hours=True, priority="emergency")
    with system_scope("test"):
        row = AuditLog.objects.get(action="play")
    assert (row.resource, row.resource_id) == ("announcement", str(words.pk))
    assert (row.user_id, row.client_id) == (shop.admin.pk, shop.client.pk)
    details = json.loads(row.details)
    assert details["devices"] == [device.pk for device in shop.devices]
    assert (details["priority"], details["override_quiet_hours"]) == ("emergency", True)


# --- retries and cost ------------------------------------------------------------------------------------


def test_a_retry_with_the_same_key_plays_once(play, published):
    first = play(key="abc", all=True)
    again = play(key="abc", all=True)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert (first.headers.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert (len(events()), len(published)) == (2, 1)
    assert play(key="other", all=True).json()["play_id"] != first.json()["play_id"]


def test_a_key_belongs_to_one_body_and_one_person(play, shop):
    assert play(key="abc", all=True).status_code == 202
    assert play(who=shop.floor_user, key="abc", all=True).status_code == 202
    answer = play(key="abc", all=True, volume=1)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_is_none(call, shop, words, key):
    answer = call(shop.admin).post(
        f"/api/announcements/{words.pk}/play/", {"all": True}, format="json", headers={"Idempotency-Key": key}
    )
    assert answer.status_code == 400


def test_twenty_devices_cost_as_many_queries_as_one(play, words, call):
    counts = []
    for devices in (1, 20):
        business = make_business()
        for number in range(devices - 2):
            hang(business, floor=business.floors[number % 2])
        what = make_announcement(business)
        where = {"all": True} if devices > 1 else {"devices": [business.devices[0].pk]}
        with CaptureQueriesContext(connection) as queries:
            answer = play(who=business.admin, what=what.pk, **where)
        assert answer.json()["devices"] == devices
        counts.append(len(queries))
    assert counts[1] <= counts[0], "constant, the look-up of the named device aside"
