"""`/api/audit-logs/`: who sees which entries, filters, and what an entry looks like."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditLog
from audit.sealing import seal
from audit.services import record
from common import clock
from common.context import Actor, acting_as

pytestmark = pytest.mark.django_db
URL = "/api/audit-logs/"


@pytest.fixture
def entries(shop, other_shop, staff):
    """Entries that differ in everything, by name."""
    olivia = Actor(user_id=shop.admin.pk, name="olivia", ip_address="10.0.0.1", request_id="request-one")
    borrowed = Actor(user_id=shop.admin.pk, name="olivia", real_user_id=staff.pk, real_name="sam")
    ours, theirs = shop.client.pk, other_shop.client.pk
    made = {}
    with acting_as(olivia):
        made["play"] = record("play", resource="announcement", resource_id=7, client_id=ours)
        made["control"] = record(
            "control", resource="device", resource_id=7, client_id=ours, details={"action": "next"}
        )
    with acting_as(borrowed):
        made["borrowed"] = record("toggle", resource="schedule", resource_id=3, client_id=ours)
    made["theirs"] = record("play", resource="announcement", resource_id=7, client_id=theirs)
    made["staff"] = record("export", resource="audit_log", resource_id="", client_id=None)
    return made


def names(answer, entries):
    assert answer.status_code == 200, answer.data
    ids = {row["id"] for row in answer.json()["results"]}
    return {name for name, entry in entries.items() if entry.pk in ids}


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("admin", "play control borrowed"),
        ("stranger", "theirs"),
        ("staff", "play control borrowed theirs staff"),
    ],
)
def test_who_sees_what(call, shop, other_shop, staff, entries, who, seen):
    people = {"admin": shop.admin, "stranger": other_shop.admin, "staff": staff}
    api = call(people[who])
    assert names(api.get(f"{URL}?limit=200"), entries) == set(seen.split())
    for name, entry in entries.items():
        assert api.get(f"{URL}{entry.pk}/").status_code == (200 if name in seen.split() else 404)


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("action=play", "play theirs"),
        ("action=play,control", "play control theirs"),
        ("resource=device", "control"),
        ("resource=announcement&resource_id=7", "play theirs"),
        ("user={admin}", "play control borrowed"),
        ("real_user={staff}", "borrowed"),
        ("client={client}", "play control borrowed"),
        ("request_id=request-one", "play control"),
        ("search=sam", "borrowed"),
        ("search=next", "control"),
        ("search=Other%20shop", "theirs"),
        ("from={later}", ""),
        ("to={later}", "play control borrowed theirs staff"),
        ("from={before}&to={later}&action=export", "staff"),
    ],
)
def test_filters(call, shop, staff, entries, query, seen):
    now = clock.now()
    places = {
        "admin": shop.admin.pk,
        "staff": staff.pk,
        "client": shop.client.pk,
        "later": f"{now + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}",
        "before": f"{now - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}",
    }
    answer = call(staff).get(f"{URL}?limit=200&{query.format(**places)}")
    assert names(answer, entries) == set(seen.split())


@pytest.mark.parametrize("query", ["user=x", "from=yesterday", "client=x", "limit=0", "cursor=x"])
def test_a_filter_that_makes_no_sense_is_400(call, shop, query):
    assert call(shop.admin).get(f"{URL}?{query}").status_code == 400


def test_an_entry(call, shop, staff, entries):
    seal(now=clock.now())
    entry = AuditLog.everything.get(pk=entries["borrowed"].pk)
    body = call(shop.admin).get(f"{URL}{entry.pk}/").json()
    assert body == {
        "id": entry.pk,
        "timestamp": body["timestamp"],
        "client": shop.client.pk,
        "client_name": "Our shop",
        "user": shop.admin.pk,
        "actor_name": "olivia",
        "real_user": staff.pk,
        "real_actor_name": "sam",
        "action": "toggle",
        "resource": "schedule",
        "resource_id": "3",
        "details": {},
        "ip_address": None,
        "request_id": "",
        "number": entry.number,
        "digest": entry.digest,
        "hash": entry.hash,
    }
    assert len(body["hash"]) == 64


def test_it_still_reads_when_everybody_is_gone(call, shop, staff, entries):
    from common.tenancy import system_scope

    with system_scope("test"):
        shop.client.delete()
    body = call(staff).get(f"{URL}{entries['play'].pk}/").json()
    assert (body["client_name"], body["actor_name"]) == ("Our shop", "olivia")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_writes_it(call, staff, entries, method):
    for url in (URL, f"{URL}{entries['play'].pk}/"):
        assert getattr(call(staff), method)(url, {"action": "x"}).status_code == 405


def test_the_newest_comes_first_and_pages_go_on(call, shop, write):
    write(5, client_id=shop.client.pk)
    api, url, seen = call(shop.admin), f"{URL}?limit=2&action=play", []
    while url:
        body = api.get(url).json()
        seen += [row["details"]["place"] for row in body["results"]]
        url = body["next"]
    assert seen == [4, 3, 2, 1, 0]


def test_two_hundred_entries_cost_as_many_queries_as_two(call, shop, write):
    api, counts = call(shop.admin), []
    for more in (2, 198):
        write(more, client_id=shop.client.pk)
        with CaptureQueriesContext(connection) as queries:
            assert api.get(f"{URL}?limit=200").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_what_hangs_on_a_deleted_row_is_told(call, shop):
    floor, device, person = shop.floors[0], shop.devices[0], shop.floor_user
    assert call(shop.admin).delete(f"/api/floors/{floor.pk}/").status_code == 204
    details = json.loads(AuditLog.everything.get(action="delete", resource="floor").details)
    assert details["before"]["name"] == "Ground"
    assert details["affected"]["devices"] == [device.pk]
    assert details["affected"]["users"] == [person.pk]
