"""`/api/play-events/`: the record, its filters, and taking back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditLog
from common.tenancy import system_scope
from devices.hub import Frame
from devices.ports import DeviceReport
from events.delivery import EventLedger
from events.domain import ledger
from events.serializers import PlayEventSerializer
from events.tests.support import NOW, ack, fresh, history, make_announcement, make_event, receipt

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at")]
SECOND = timedelta(seconds=1)
URL = "/api/play-events/"


def listed(answer):
    assert answer.status_code == 200, answer.data
    return {row["id"] for row in answer.json()["results"]}


@pytest.fixture
def plays(shop, other_shop):
    """Four plays of our shop that differ in everything, and one of another."""
    ground, upper = shop.devices
    words = make_announcement(shop, title="Closing soon")
    hour = timedelta(hours=1)
    return {
        "done": make_event(shop, device=ground, announcement=words, status=ledger.COMPLETED),
        "lost": make_event(shop, device=upper, status=ledger.FAILED, reason="offline", play_at=NOW + hour),
        "open": make_event(
            shop, device=ground, event_type="scheduled", priority="timeline", play_at=NOW + 2 * hour
        ),
        "loud": make_event(
            shop, device=upper, priority="emergency", status=ledger.PLAYING, play_at=NOW + 3 * hour
        ),
        "theirs": make_event(other_shop),
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "done lost open loud"),
        ("device={ground}", "done open"),
        ("floor={upper_floor}", "lost loud"),
        ("announcement={words}", "done"),
        ("client={client}", "done lost open loud"),
        ("client={other_client}", ""),
        ("device={other_device}", ""),
        ("status=failed", "lost"),
        ("status=failed&status=completed", "lost done"),
        ("reason=offline", "lost"),
        ("type=scheduled", "open"),
        ("priority=emergency", "loud"),
        ("play_id={play}", "done"),
        ("from=2026-03-02T13:00:00Z", "lost open loud"),
        ("to=2026-03-02T14:00:00Z", "done lost"),
        ("from=2026-03-02T13:00:00Z&to=2026-03-02T14:00:00Z", "lost"),
        ("search=closing", "done"),
        ("search=Upper", "lost loud"),
    ],
)
def test_filters(call, shop, other_shop, plays, query, names):
    ids = {
        "ground": shop.devices[0].pk,
        "upper_floor": shop.floors[1].pk,
        "words": plays["done"].announcement_id,
        "client": shop.client.pk,
        "other_client": other_shop.client.pk,
        "other_device": other_shop.devices[0].pk,
        "play": plays["done"].play_id,
    }
    answer = call(shop.admin).get(f"{URL}?{query.format(**ids)}")
    assert listed(answer) == {str(plays[name].pk) for name in names.split()}


@pytest.mark.parametrize(
    "query", ["status=sounding", "reason=rain", "from=yesterday", "play_id=7", "type=x", "device=x"]
)
def test_a_filter_that_makes_no_sense_is_400(call, shop, query):
    assert call(shop.admin).get(f"{URL}?{query}").status_code == 400


@pytest.mark.parametrize(
    ("who", "names"),
    [
        ("admin", "done lost open loud"),
        ("floor_user", "done open"),
        ("staff", "done lost open loud theirs"),
        ("stranger", "theirs"),
    ],
)
def test_who_sees_what(call, shop, other_shop, staff, plays, who, names):
    people = {
        "admin": shop.admin,
        "floor_user": shop.floor_user,
        "staff": staff,
        "stranger": other_shop.admin,
    }
    seen = {plays[name].pk for name in names.split()}
    api = call(people[who])
    assert listed(api.get(URL)) == {str(pk) for pk in seen}
    for event in plays.values():
        assert api.get(f"{URL}{event.pk}/").status_code == (200 if event.pk in seen else 404)


@pytest.mark.parametrize("ordering", ["created_at", "-created_at", "play_at", "-play_at"])
def test_ordering_is_total(call, shop, plays, ordering):
    api, pages, url = call(shop.admin), [], f"{URL}?ordering={ordering}&limit=2&client={shop.client.pk}"
    while url:
        page = api.get(url).json()
        pages += page["results"]
        url = page["next"]
    assert len({row["id"] for row in pages}) == len(pages) == 4
    column = ordering.lstrip("-")
    instants = [row[column] for row in pages]
    assert instants == sorted(instants, reverse=ordering.startswith("-"))


def test_of_an_old_event_no_beginning_is_made_up(call, shop):
    forgotten = make_event(shop, status="completed")
    assert call(shop.admin).get(f"{URL}{forgotten.pk}/").json()["changes"] == []


def test_the_detail_tells_the_whole_history(call, shop):
    event, device = make_event(shop), shop.devices[0]
    reports = [ack(event), receipt(event, outcome="failed_fetch", error="404"), receipt(event)]
    EventLedger().store([DeviceReport(device.pk, each, NOW) for each in reports], now=NOW)
    body = call(shop.admin).get(f"{URL}{event.pk}/").json()
    assert (body["status"], body["reason"], body["outcome"]) == ("failed", "download_failed", "failed_fetch")
    assert [(step["status"], step["source"]) for step in body["changes"]] == [
        ("pending", "user"),
        ("delivered", "device"),
        ("failed", "device"),
    ]
    assert body["changes"][2]["message"] == ledger.REASONS["download_failed"]
    assert body["changes"][2]["detail"]["error"] == "404"
    assert body["created_by_name"] == str(shop.admin)


def test_the_record_outlives_announcement_device_and_floor(call, shop):
    event = make_event(shop, status=ledger.COMPLETED)
    with system_scope("test"):
        event.announcement.delete()
        shop.devices[0].delete()
        shop.floors[0].delete()
    body = call(shop.admin).get(f"{URL}{event.pk}/").json()
    assert (body["announcement"], body["device"], body["floor"]) == (None, None, None)
    assert body["announcement_title"]
    assert (body["device_name"], body["floor_name"]) == ("Speaker Ground", "Ground")


def test_twenty_events_cost_as_many_queries_as_one(call, shop):
    api, counts = call(shop.admin), []
    for more in (1, 19):
        for _ in range(more):
            make_event(shop)
        with CaptureQueriesContext(connection) as queries:
            assert api.get(URL).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- taking back -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (ledger.PENDING, 200, None),
        (ledger.DELIVERED, 200, None),
        (ledger.PLAYING, 409, "already_started"),
        (ledger.COMPLETED, 409, "already_ended"),
        (ledger.FAILED, 409, "already_ended"),
    ],
)
@pytest.mark.parametrize("who", ["admin", "floor_user"])
def test_cancel(call, shop, published, commit, who, status, answer, code):
    event = make_event(shop, status=status)
    with commit():
        got = call(getattr(shop, who)).post(f"{URL}{event.pk}/cancel/")
    assert (got.status_code, got.json().get("code")) == (answer, code)
    if answer == 200:
        assert (got.json()["status"], got.json()["reason"]) == ("failed", "cancelled")
        assert fresh(event).completed_at == NOW
        assert history(event) == [("failed", "cancelled", "user", False)]
        [sent] = published
        assert isinstance(sent, Frame)
        assert (sent.devices, sent.message.event_id) == ([shop.devices[0].pk], str(event.pk))
        with system_scope("test"):
            audit = AuditLog.objects.get(action="cancel")
        assert (audit.resource, audit.resource_id) == ("play", str(event.play_id))
        assert json.loads(audit.details)["events"] == [str(event.pk)]
    else:
        assert published == []


@pytest.mark.parametrize("route", ["one", "play"])
def test_what_the_caller_does_not_see_cannot_be_cancelled(call, shop, other_shop, route):
    for event in (make_event(other_shop), make_event(shop, device=shop.devices[1])):
        api = call(shop.floor_user)
        if route == "one":
            answer = api.post(f"{URL}{event.pk}/cancel/")
        else:
            answer = api.post(f"{URL}cancel/", {"play_id": str(event.play_id)})
        assert answer.status_code == 404


def test_cancelling_a_play_tells_what_was_too_late(call, shop, published, commit):
    first = make_event(shop)
    second = make_event(shop, play_id=first.play_id, device=shop.devices[1], status=ledger.PLAYING)
    with commit():
        answer = call(shop.admin).post(f"{URL}cancel/", {"play_id": str(first.play_id)})
    body = answer.json()
    assert [row["id"] for row in body["cancelled"]] == [str(first.pk)]
    assert [row["id"] for row in body["not_cancelled"]] == [str(second.pk)]


def test_a_locked_business_may_ask_for_silence(call, shop, commit, published):
    with system_scope("test"):
        type(shop.client).objects.filter(pk=shop.client.pk).update(status="suspended")
    event = make_event(shop)
    assert call(shop.admin).post(f"{URL}{event.pk}/cancel/").status_code == 200


def test_cancelling_twenty_costs_as_many_queries_as_one(call, shop):
    counts = []
    for number in (1, 20):
        play_id = f"00000000-0000-4000-8000-00000000aa{number:02}"
        for _ in range(number):
            make_event(shop, play_id=play_id)
        with CaptureQueriesContext(connection) as queries:
            answer = call(shop.admin).post(f"{URL}cancel/", {"play_id": play_id})
        assert len(answer.json()["cancelled"]) == number
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_device_that_had_started_already_corrects_the_cancellation(call, shop):
    event = make_event(shop)
    assert call(shop.admin).post(f"{URL}{event.pk}/cancel/").status_code == 200
    EventLedger().store([DeviceReport(shop.devices[0].pk, receipt(event), NOW)], now=NOW)
    assert fresh(event).status == ledger.COMPLETED
    assert history(event)[-1] == ("completed", "", "device", True)


@pytest.mark.parametrize("name", ["", "Ada", "Ada King"])
def test_a_list_shows_a_play_as_its_detail_does(call, shop, plays, name):
    """The list is made from the columns; the serializer says what it has to be. Who has no name goes by the address."""
    shop.admin.name = name
    shop.admin.save()
    api = call(shop.admin)
    for row in api.get(URL).json()["results"]:
        detail = api.get(f"{URL}{row['id']}/").json()
        assert {name: detail[name] for name in PlayEventSerializer.Meta.fields} == row
        assert row["created_by_name"] == (name or shop.admin.username)
