"""`/api/devices/` for people: hanging up, changing, commanding, the status, tokens."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditLog
from clients.models import Client
from common import clock
from common.tenancy import system_scope
from conftest import make_business
from devices import services
from devices.hub import Frame, Shut
from devices.models import LEASE, Device
from devices.protocol import PlanChanged, SetDesired
from devices.tests.shop_floor import row_of
from zones.models import Floor
from zones.services import delete_floor, update_floor

pytestmark = pytest.mark.django_db
URL = "/api/devices/"


def seen(device, now, **columns):
    """The device was heard of at `now`."""
    with system_scope("test data"):
        Device.objects.filter(pk=device.pk).update(last_seen=now, **columns)


def audited(action):
    with system_scope("the test reads the trail"):
        return [
            (row.resource_id, json.loads(row.details))
            for row in AuditLog.objects.filter(action=action).order_by("pk")
        ]


def messages(published, kind):
    return [sent.message for sent in published if isinstance(sent, Frame) and isinstance(sent.message, kind)]


# --- hanging up and changing -----------------------------------------------------------------------------


def test_a_new_device_and_its_token_which_is_shown_once(call, shop):
    api, floor = call(shop.admin), shop.floors[0]
    answer = api.post(URL, {"name": " Till 1 ", "floor": floor.pk, "device_id": "AA:BB-1"})
    assert answer.status_code == 201, answer.data
    body = answer.json()
    assert (body["name"], body["floor"], body["client"]) == ("Till 1", floor.pk, shop.client.pk)
    assert (body["status"], body["volume"], body["revoked"]) == ("offline", 75, False)
    assert len(body["token"]) >= 43, "256 bits"
    me = call(None).get("/api/devices/self/", headers={"Authorization": f"Bearer {body['token']}"})
    assert me.json() == {
        "id": body["id"],
        "device_id": "AA:BB-1",
        "name": "Till 1",
        "ws_path": "/ws/devices/AA:BB-1/",
        "plan_url": f"/api/devices/{body['id']}/plan/",
        "business": shop.client.business_name,
        "floor": floor.name,
    }
    shown_again = api.get(f"{URL}{body['id']}/").json()
    assert "token" not in shown_again
    with system_scope("test"):
        device = Device.objects.get(pk=body["id"])
    assert body["token"] not in (device.token_hash, device.next_token_hash)
    assert all(body["token"] not in json.dumps(details) for _, details in audited("create"))


def test_a_hardware_id_is_made_up_when_none_is_given(call, shop):
    answer = call(shop.admin).post(URL, {"name": "x"})
    assert answer.json()["device_id"].startswith("s2g-")


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, "required", "name"),
        ({"name": ""}, 400, "blank", "name"),
        ({"name": "x", "device_id": "a b"}, 400, "invalid", "device_id"),
        ({"name": "x", "device_id": "a/b"}, 400, "invalid", "device_id"),
        ({"name": "x", "device_id": "a" * 101}, 400, "invalid", "device_id"),
        ({"name": "x", "volume": 101}, 400, "max_value", "volume"),
        ({"name": "x", "volume": -1}, 400, "min_value", "volume"),
        ({"name": "x", "output_delay_ms": 10_001}, 400, "max_value", "output_delay_ms"),
        ({"name": "x", "output_delay_ms": -1}, 400, "min_value", "output_delay_ms"),
        ({"name": "x", "floor": "theirs"}, 400, "does_not_exist", "floor"),
        ({"name": "x", "client": "theirs"}, 400, "does_not_exist", "client"),
        ({"name": "x", "device_id": "ours"}, 409, "conflict", "device_id"),
        ({"name": "x", "device_id": "theirs"}, 409, "conflict", "device_id"),
    ],
)
def test_what_cannot_be_hung_up(call, shop, other_shop, body, status, code, field):
    known = {
        ("floor", "theirs"): other_shop.floors[0].pk,
        ("client", "theirs"): other_shop.client.pk,
        ("device_id", "ours"): shop.devices[0].device_id,
        ("device_id", "theirs"): other_shop.devices[0].device_id,
    }
    answer = call(shop.admin).post(
        URL, {name: known.get((name, value), value) for name, value in body.items()}
    )
    assert answer.status_code == status, answer.data
    error = answer.json()["errors"][0]
    assert (error["field"], error["code"]) == (field, code)


def test_staff_name_the_client(call, shop, staff):
    api = call(staff)
    assert api.post(URL, {"name": "x"}).json()["errors"][0]["field"] == "client"
    assert (
        api.post(URL, {"name": "x", "client": shop.client.pk, "floor": shop.floors[0].pk}).status_code == 201
    )


@pytest.mark.parametrize(
    ("change", "is_pushed", "plan_changes"),
    [
        ({"name": "Other"}, False, False),
        ({"volume": 75}, False, False),
        ({"volume": 74}, True, False),
        ({"muted": True}, True, False),
        ({"output_delay_ms": 29}, True, False),
        ({"floor": "upper"}, True, True),
        ({"floor": None}, True, True),
    ],
)
def test_a_change_of_desired_state_has_a_new_revision(
    call, shop, published, commit, change, is_pushed, plan_changes
):
    device = shop.devices[0]
    body = {name: shop.floors[1].pk if value == "upper" else value for name, value in change.items()}
    with commit():
        answer = call(shop.admin).patch(f"{URL}{device.pk}/", body)
    assert answer.status_code == 200, answer.data
    assert row_of(device).desired_rev == 1 + is_pushed
    assert [message.rev for message in messages(published, SetDesired)] == [2] * is_pushed
    assert len(messages(published, PlanChanged)) == plan_changes


def test_a_change_leaves_alone_what_the_live_device_writes(call, shop):
    """The row that the request holds is old: meanwhile the device said hello and somebody else turned it down."""
    old = row_of(shop.devices[0])
    seen(old, clock.now(), session_id="live", reported={"volume": 3}, desired_rev=5, volume=60)
    with system_scope("test"):
        services.change_device(device=old, values={"muted": True})
    row = row_of(old)
    assert (row.session_id, row.reported, row.volume) == ("live", {"volume": 3}, 60)
    assert (row.muted, row.desired_rev) == (True, 6), "of two changes the later has the higher revision"


def test_a_removed_device_is_thrown_out(call, shop, published, commit):
    device = shop.devices[0]
    pk = device.pk
    with commit():
        assert call(shop.admin).delete(f"{URL}{pk}/").status_code == 204
    [sent] = published
    assert isinstance(sent, Shut)
    assert (sent.devices, sent.close_code) == ([pk], 4403)
    assert [resource for resource, _ in audited("delete")] == [str(pk)]


# --- volume ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounds", "volume", "effective"),
    [((0, 100), 40, 40), ((30, 60), 40, 40), ((30, 60), 90, 60), ((30, 60), 0, 30), ((50, 50), 7, 50)],
)
def test_volume_is_kept_as_asked_and_sent_as_the_floor_allows(
    call, shop, published, commit, bounds, volume, effective
):
    with system_scope("test"):
        Floor.objects.filter(pk=shop.floors[0].pk).update(min_volume=bounds[0], max_volume=bounds[1])
    with commit():
        answer = call(shop.floor_user).post(f"{URL}{shop.devices[0].pk}/volume/", {"volume": volume})
    assert (answer.json()["volume"], answer.json()["effective_volume"]) == (volume, effective)
    assert [message.volume for message in messages(published, SetDesired)] == [effective]


@pytest.mark.parametrize(
    "body", [{}, {"volume": 101}, {"volume": None}, {"muted": "perhaps"}, {"volume": 1.5}]
)
def test_what_is_no_volume(call, shop, body):
    assert call(shop.admin).post(f"{URL}{shop.devices[0].pk}/volume/", body).status_code == 400


def test_the_floors_bounds_change_what_its_devices_hear(shop, published, commit):
    with commit(), system_scope("test"):
        update_floor(floor=shop.floors[0], max_volume=40, default_volume=40)
    assert [(message.rev, message.volume) for message in messages(published, SetDesired)] == [(2, 40)]
    assert len(messages(published, PlanChanged)) == 1
    assert [row_of(device).desired_rev for device in shop.devices] == [2, 1]


def test_a_floor_that_goes_takes_its_bounds_with_it(shop, published, commit):
    with system_scope("test"):
        update_floor(floor=shop.floors[0], max_volume=40, default_volume=40)
    with commit(), system_scope("test"):
        delete_floor(floor=shop.floors[0])
    assert [(message.rev, message.volume) for message in messages(published, SetDesired)] == [(3, 75)]


# --- the lock of the business ----------------------------------------------------------------------------


def test_a_locked_business_is_silenced_and_opened_again(shop, published, commit):
    for status, silenced in (("suspended", True), ("active", False)):
        published.clear()
        with commit(), system_scope("test"):
            shop.client.status = status
            shop.client.save()
        assert [message.silenced for message in messages(published, SetDesired)] == [silenced] * 2
    with commit(), system_scope("test"):
        shop.client.name = "Another name"
        shop.client.save()
    assert {row_of(device).desired_rev for device in shop.devices} == {3}, "a new name is nothing to devices"


def test_a_trial_that_ends_by_itself_silences_too(published, commit):
    ends = clock.now() + timedelta(days=1)
    trial = make_business(status=Client.Status.TRIAL, trial_ends_at=ends)
    make_business()
    told = []
    for now in (ends - timedelta(seconds=1), ends, ends + timedelta(days=9)):
        with commit():
            told.append(services.watch_locks(now=now))
    assert told == [0, 2, 0]
    assert [row_of(device).silenced for device in trial.devices] == [True, True]
    assert [row_of(device).desired_rev for device in trial.devices] == [2, 2]


@pytest.mark.parametrize("status", ["active", "trial", "suspended", "closed"])
@pytest.mark.parametrize("ends_in_s", [None, -1, 0, 1])
@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("deleting", [False, True])
def test_what_may_differ_is_exactly_what_the_rule_says(shop, status, ends_in_s, told, deleting):
    """The filter that finds them says in SQL what `clients.domain.access.lock_of` says."""
    now = clock.now()
    ends_at = None if ends_in_s is None else now + timedelta(seconds=ends_in_s)
    with system_scope("test"):
        Client.objects.filter(pk=shop.client.pk).update(
            status=status, trial_ends_at=ends_at, deletion_requested_at=now if deleting else None
        )
        Device.objects.update(silenced=told)
        device = row_of(shop.devices[0])
        differs = (device.client.lock(now) is not None) != told
        assert Device.objects.lock_may_differ(now).count() == 2 * differs


# --- commands --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["control", "test-tone"])
@pytest.mark.parametrize(
    ("seen_ago", "plain", "status", "code"),
    [
        (timedelta(0), False, 202, None),
        (LEASE - timedelta(seconds=5), False, 202, None),
        (LEASE, False, 409, "device_offline"),
        (None, False, 409, "device_offline"),
        (timedelta(0), True, 409, "conflict"),
    ],
)
def test_commands_are_for_who_is_there(call, shop, published, commit, route, seen_ago, plain, status, code):
    device = shop.devices[0]
    if seen_ago is not None:
        seen(device, clock.now() - seen_ago, plain=plain)
    body = {"action": "identify"} if route == "control" else {"hz": 880, "ms": 300}
    with commit():
        answer = call(shop.floor_user).post(f"{URL}{device.pk}/{route}/", body)
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert len(published) == (status == 202)
    if status == 202:
        assert published[0].message.command_id == answer.json()["command_id"]
        [(resource, details)] = audited(route.replace("-", "_"))
        assert (resource, details["command_id"]) == (str(device.pk), answer.json()["command_id"])


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("control", {}),
        ("control", {"action": "dance"}),
        ("test-tone", {"hz": 19}),
        ("test-tone", {"hz": 20_001}),
        ("test-tone", {"ms": 49}),
        ("test-tone", {"ms": 10_001}),
    ],
)
def test_what_is_no_command(call, shop, route, body):
    seen(shop.devices[0], clock.now())
    assert call(shop.admin).post(f"{URL}{shop.devices[0].pk}/{route}/", body).status_code == 400


def test_a_retried_command_is_sent_once(call, shop, published, commit):
    seen(shop.devices[0], clock.now())
    with commit():
        answers = [
            call(shop.admin).post(
                f"{URL}{shop.devices[0].pk}/control/", {"action": "next"}, headers={"Idempotency-Key": "k"}
            )
            for _ in range(2)
        ]
    assert answers[0].json() == answers[1].json()
    assert len(published) == 1


# --- reading ---------------------------------------------------------------------------------------------


def test_the_status_document_of_a_device_that_never_called(call, shop):
    body = call(shop.floor_user).get(f"{URL}{shop.devices[0].pk}/status/").json()
    assert body == {
        "id": shop.devices[0].pk,
        "device_id": shop.devices[0].device_id,
        "status": "offline",
        "last_seen": None,
        "desired": {"rev": 1, "volume": 75, "muted": False, "output_delay_ms": 0, "silenced": False},
        "applied_rev": 0,
        "in_sync": False,
        "reported": {},
        "software": "",
        "capabilities": [],
        "protocol": "v1",
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Ground", "Upper"}),
        ("status=online", {"Ground"}),
        ("status=offline", {"Upper"}),
        ("floor={floor}", {"Upper"}),
        ("muted=true", {"Upper"}),
        ("no_floor=true", set()),
        ("no_floor=false", {"Ground", "Upper"}),
        ("client={other}", set()),
        ("search=upper", {"Upper"}),
    ],
)
def test_filters(call, shop, other_shop, query, names):
    seen(shop.devices[0], clock.now())
    with system_scope("test"):
        Device.objects.filter(pk=shop.devices[1].pk).update(muted=True)
    query = query.format(floor=shop.floors[1].pk, other=other_shop.client.pk)
    rows = call(shop.admin).get(f"{URL}?{query}").json()["results"]
    assert {row["name"].removeprefix("Speaker ") for row in rows} == names


def test_the_devices_of_a_floor(call, shop, other_shop):
    api = call(shop.floor_user)
    rows = api.get(f"/api/floors/{shop.floors[0].pk}/devices/").json()["results"]
    assert [row["id"] for row in rows] == [shop.devices[0].pk]
    for floor in (shop.floors[1], other_shop.floors[0]):
        assert api.get(f"/api/floors/{floor.pk}/devices/").status_code == 404


@pytest.mark.parametrize("url", [URL, "/api/floors/{floor}/devices/"])
def test_twenty_devices_cost_as_many_queries_as_one(call, shop, url):
    api, counts = call(shop.admin), []
    for more in (19, 0):
        with CaptureQueriesContext(connection) as queries:
            assert api.get(url.format(floor=shop.floors[0].pk)).status_code == 200
        counts.append(len(queries))
        with system_scope("test data"):
            Device.objects.bulk_create(
                Device(client=shop.client, floor=shop.floors[0], name="x", device_id=f"x{number}")
                for number in range(more)
            )
    assert counts[0] == counts[1]


# --- tokens ----------------------------------------------------------------------------------------------


def asks(call, token):
    """What a device with this token gets."""
    return call(None).get("/api/devices/self/", headers={"Authorization": f"Bearer {token}"}).status_code


def test_the_old_token_works_until_the_new_one_is_used(call, shop):
    api, device = call(shop.admin), shop.devices[0]
    first = api.post(f"{URL}{device.pk}/rotate-token/").json()["token"]
    second = api.post(f"{URL}{device.pk}/rotate-token/").json()["token"]
    third = api.post(f"{URL}{device.pk}/rotate-token/").json()["token"]
    assert asks(call, second) == 401, "a newer one took its place before it was used"
    assert [asks(call, token) for token in (first, third, third, first)] == [200, 200, 200, 401]
    assert len(audited("rotate_token")) == 3


def test_a_revoked_token_opens_nothing_until_a_new_one_is_issued(call, shop, published, commit):
    api, device = call(shop.admin), shop.devices[0]
    token = api.post(f"{URL}{device.pk}/rotate-token/").json()["token"]
    waiting = api.post(f"{URL}{device.pk}/rotate-token/").json()["token"]
    with commit():
        answer = api.post(f"{URL}{device.pk}/revoke-token/")
    assert answer.json()["revoked"] is True
    assert [type(sent) for sent in published] == [Shut]
    assert (asks(call, token), asks(call, waiting)) == (401, 401)
    assert [resource for resource, _ in audited("revoke_token")] == [str(device.pk)]
    fresh = api.post(f"{URL}{device.pk}/rotate-token/").json()["token"]
    assert (asks(call, fresh), asks(call, token)) == (200, 401)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é"])
def test_what_is_no_token(call, token):
    assert asks(call, token.encode().decode("latin-1")) == 401


def test_presence_is_written_once_for_each_change(shop, other_shop):
    now = clock.now()
    for device in (*shop.devices, *other_shop.devices):
        seen(device, now)
    assert [services.watch_presence(now=now + after) for after in (LEASE / 2, LEASE / 2, LEASE, LEASE)] == [
        4,
        0,
        4,
        0,
    ]
