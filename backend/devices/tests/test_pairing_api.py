"""Pairing over the API, as RFC 8628 has it: a code on the speaker, entered by a person, fetched by the speaker."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache

from audit.models import AuditLog
from common import clock
from common.tenancy import system_scope
from core import retention
from devices import credentials, services, store
from devices.models import Device, DevicePairing
from devices.tests.shop_floor import row_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def at(monkeypatch):
    """Sets the clock that the API reads."""

    def set_to(instant):
        monkeypatch.setattr(clock, "now", lambda: instant)

    set_to(NOW)
    return set_to


@pytest.fixture
def pair(call, at):
    """`pair(hardware_id)` is the answer to a new speaker."""

    def start(hardware_id="hw-new", **more):
        answer = call(None).post("/api/devices/pair/", {"hardware_id": hardware_id} | more)
        assert answer.status_code == 201, answer.data
        return answer.json()

    return start


@pytest.fixture
def poll(call):
    """`poll(pairing)` is (status, code, body) of one question."""

    def ask(pairing):
        answer = call(None).post("/api/devices/pair/token/", {"device_code": pairing["device_code"]})
        return answer.status_code, answer.json().get("code"), answer.json()

    return ask


def claim(call, who, code, **more):
    return call(who).post("/api/devices/claim/", {"user_code": code} | more)


def test_the_whole_way(call, shop, at, pair, poll):
    pairing = pair(name="Till", software="s 1")
    assert (pairing["expires_in"], pairing["interval"]) == (600, 5)
    assert poll(pairing)[:2] == (400, "authorization_pending")
    floor = shop.floors[1]
    answer = claim(call, shop.admin, pairing["user_code"], name="Till 9", floor=floor.pk)
    assert answer.status_code == 201, answer.data
    assert "token" not in answer.json(), "the token goes to the speaker and to nobody else"
    assert (answer.json()["name"], answer.json()["floor"]) == ("Till 9", floor.pk)
    at(NOW + 5 * SECOND)
    status, _, body = poll(pairing)
    assert (status, body["device_id"], body["ws_path"]) == (200, "hw-new", "/ws/devices/hw-new/")
    me = call(None).get("/api/devices/self/", headers={"Authorization": f"Bearer {body['token']}"})
    assert me.status_code == 200
    at(NOW + 10 * SECOND)
    assert poll(pairing)[:2] == (400, "access_denied"), "once"
    with system_scope("test"):
        for action in ("claim", "fetch_token"):  # the speaker fetches for whoever entered its code
            entry = AuditLog.objects.get(action=action)
            assert (entry.resource_id, entry.client_id) == (str(body["id"]), shop.client.pk)
            assert (entry.user_id, entry.actor_name) == (shop.admin.pk, shop.admin.username)
        assert body["token"] not in json.dumps(list(AuditLog.objects.values("details")))
        assert not DevicePairing.objects.filter(device_code_hash=pairing["device_code"]).exists()


@pytest.mark.parametrize("typed", ["{code}", "{bare}", " {code} ", "{lower}", "{spaced}"])
def test_a_code_as_people_type_it(call, shop, pair, typed):
    code = pair()["user_code"]
    bare = code.replace("-", "")
    entered = typed.format(code=code, bare=bare, lower=code.lower(), spaced=" ".join(bare))
    assert claim(call, shop.admin, entered, name="x").status_code == 201


@pytest.mark.parametrize("wrong", ["BBBB-BBBB", "", "x" * 21, "½½½½½½½½"])
def test_a_code_that_nobody_shows(call, shop, pair, wrong):
    pair()
    answer = claim(call, shop.admin, wrong, name="x")
    assert answer.status_code == 400


def test_a_code_expires_and_is_used_once(call, shop, at, pair, poll):
    first, second = pair("hw-1"), pair("hw-2")
    assert claim(call, shop.admin, first["user_code"], name="x").status_code == 201
    assert claim(call, shop.admin, first["user_code"], name="x").json()["code"] == "unknown_code"
    at(NOW + timedelta(minutes=10))
    assert claim(call, shop.admin, second["user_code"], name="x").json()["code"] == "unknown_code"
    assert poll(second)[:2] == (400, "expired_token")
    assert poll(first)[0] == 200, "what was claimed in time is fetched after it"


def test_a_speaker_of_another_business_has_to_be_removed_there(call, shop, other_shop, pair):
    code = pair(other_shop.devices[0].device_id)["user_code"]
    answer = claim(call, shop.admin, code, name="mine")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert row_of(other_shop.devices[0]).client_id == other_shop.client.pk


def test_a_speaker_that_was_ours_is_taken_over_with_its_history(call, shop, at, pair, poll):
    device = shop.devices[0]
    with system_scope("test"):
        services.revoke_token(device=device, now=NOW)
    pairing = pair(device.device_id)
    answer = claim(call, shop.admin, pairing["user_code"])
    assert (answer.json()["id"], answer.json()["name"]) == (device.pk, device.name)
    assert answer.json()["floor"] == device.floor_id
    at(NOW + 6 * SECOND)
    assert poll(pairing)[0] == 200
    assert row_of(device).revoked_at is None


def test_who_asks_too_often_is_told_to_slow_down(at, pair, poll):
    pairing = pair()
    answers = []
    for after_s in (0, 1, 11.5, 21.5):
        at(NOW + after_s * SECOND)
        answers.append(poll(pairing)[1])
    assert answers == ["authorization_pending", "slow_down", "authorization_pending", "authorization_pending"]


def test_a_code_of_nobody(poll):
    assert poll({"device_code": "x"})[:2] == (400, "expired_token")


@pytest.mark.parametrize(
    ("who", "with_floor", "status"),
    [
        ("admin", False, 201),
        ("admin", True, 201),
        ("staff", True, 201),
        ("staff", False, 400),
        ("floor_user", True, 403),
    ],
)
def test_who_claims(call, shop, staff, pair, who, with_floor, status):
    person = staff if who == "staff" else getattr(shop, who)
    more = {"floor": shop.floors[0].pk} if with_floor else {}
    assert claim(call, person, pair()["user_code"], name="x", **more).status_code == status


def test_anothers_floor_cannot_be_named(call, shop, other_shop, pair):
    answer = claim(call, shop.admin, pair()["user_code"], name="x", floor=other_shop.floors[0].pk)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "does_not_exist")


@pytest.mark.parametrize("hardware_id", ["", "a b", "a/b", "x" * 101, "ü"])
def test_what_is_no_hardware_id(call, hardware_id):
    assert call(None).post("/api/devices/pair/", {"hardware_id": hardware_id}).status_code == 400


def test_guessing_codes_and_asking_for_them_is_limited(call, shop, at):
    answers = [claim(call, shop.admin, "BBBB-BBBB", name="x").status_code for _ in range(31)]
    assert answers == [400] * 30 + [429]
    answers = [
        call(None).post("/api/devices/pair/", {"hardware_id": f"h{n}"}).status_code for n in range(121)
    ]
    assert answers == [201] * 120 + [429]


def test_old_pairings_are_forgotten(pair, at):
    pair()
    ended = NOW + timedelta(minutes=10)
    retention.forget_old(now=ended + timedelta(hours=1))
    assert DevicePairing.objects.count() == 1
    retention.forget_old(now=ended + timedelta(hours=1, seconds=1))
    assert not DevicePairing.objects.exists()
    assert not Device.objects.model._base_manager.filter(device_id="hw-new").exists()


# --- tickets ---------------------------------------------------------------------------------------------


def test_a_ticket_lives_sixty_seconds(shop, monkeypatch):
    device = shop.devices[0]
    ages = []
    genuine = cache.set
    monkeypatch.setattr(cache, "set", lambda key, value, age: (ages.append(age), genuine(key, value, age)))
    ticket = credentials.issue_ticket(device)
    assert ages == [60]
    with system_scope("test"):
        show = credentials.Credential(ticket=ticket)
        assert credentials.recognise([show]) == [device]
        assert credentials.recognise([show]) == [None]


def test_many_credentials_are_recognised_by_one_query(shop, other_shop, django_assert_num_queries):
    devices = [*shop.devices, *other_shop.devices]
    with system_scope("test"):
        tokens = [services.rotate_token(device=device) for device in devices]
        shown = [credentials.Credential(token=token) for token in [*tokens, "rubbish", tokens[0]]]
        shown += [credentials.Credential(), credentials.Credential(ticket="rubbish")]
        with django_assert_num_queries(1):
            found = credentials.recognise(shown)
    assert found == [*devices, None, devices[0], None, None]


def test_what_a_socket_needs_of_many_devices_is_read_by_one_query(
    shop, other_shop, django_assert_num_queries
):
    devices = [*shop.devices, *other_shop.devices]
    with system_scope("test"):
        tokens = [services.rotate_token(device=device) for device in devices]
        Device.objects.filter(pk=devices[0].pk).update(floor=None)
    with django_assert_num_queries(1):
        known = store.look_up([credentials.Credential(token=token) for token in tokens])
    assert [(one.pk, one.client_id, one.device_id) for one in known] == [
        (device.pk, device.client_id, device.device_id) for device in devices
    ]
