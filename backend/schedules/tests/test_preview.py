"""When a schedule fires, when it fired, and why not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.tenancy import system_scope
from devices.ports import DeviceReport
from events.delivery import EventLedger
from events.models import PlayEvent
from events.tests.support import make_announcement, receipt
from schedules.airing import plan_ahead
from schedules.models import ClientLock
from schedules.preview import MOST
from schedules.tests.support import NOON, NOON_US, make_schedule, timeline

pytestmark = pytest.mark.usefixtures("at")


def ask(client: Any, schedule: Any, **query: Any) -> Any:
    """The answer for a window."""
    asked = {name.strip("_"): value.isoformat() for name, value in query.items()}
    response = client.get(f"/api/schedules/{schedule.pk}/occurrences/", asked)
    assert response.status_code == 200, response.content
    return response.json()


def change(row: Any, **columns: Any) -> None:
    """Changes the row beneath everybody's feet."""
    with system_scope("test data"):
        type(row).objects.filter(pk=row.pk).update(**columns)


def test_what_is_to_come_in_each_zone(shop: Any, call: Any) -> None:
    words = make_announcement(shop)
    change(shop.floors[0], timezone="Europe/London", quiet_hours_start="14:00", quiet_hours_end="15:00")
    change(shop.floors[1], timezone="Asia/Kathmandu")
    schedule = make_schedule(shop, [words], floors=shop.floors, interval_minutes=60)
    answer = ask(call(shop.admin), schedule, to=NOON + timedelta(hours=2))
    assert (answer["from"], answer["to"], answer["next_from"]) == (
        "2026-07-01T12:00:00Z",
        "2026-07-01T14:00:00Z",
        None,
    )
    one, two = (floor.pk for floor in shop.floors)
    assert [
        (each["at"][11:16], each["local_time"], each["reason"], each["floors"], each["announcement"])
        for each in answer["occurrences"]
    ] == [
        ("12:00", "2026-07-01T13:00:00+01:00", "", [one], words.pk),
        ("12:15", "2026-07-01T18:00:00+05:45", "", [two], words.pk),
        ("13:00", "2026-07-01T14:00:00+01:00", "quiet_hours", [one], words.pk),
        ("13:15", "2026-07-01T19:00:00+05:45", "", [two], words.pk),
    ]
    first, suppressed = answer["occurrences"][0], answer["occurrences"][2]
    assert first | {"plays": None} == {
        "at": "2026-07-01T12:00:00Z",
        "local_time": "2026-07-01T13:00:00+01:00",
        "timezone": "Europe/London",
        "announcement": words.pk,
        "announcement_title": words.title,
        "outcome": "due",
        "reason": "",
        "message": "",
        "by": None,
        "floors": [one],
        "devices": [shop.devices[0].pk],
        "plays": None,
    }
    assert (suppressed["outcome"], suppressed["message"]) == ("suppressed", "It was quiet hours.")


def test_the_past_is_told_by_the_ledger_whatever_the_rule_is_now(shop: Any, call: Any, at: Any) -> None:
    one, other = shop.devices
    schedule = make_schedule(shop, floors=shop.floors)
    change(shop.floors[1], quiet_hours_start="12:00", quiet_hours_end="12:01")
    plan_ahead(now=NOON)
    with system_scope("test"):
        event = PlayEvent.objects.get(device=one, play_at=NOON)
    played = receipt(event, outcome="played", started_at=NOON_US + 7, ended_at=NOON_US + 5_000_000)
    EventLedger().store([DeviceReport(one.pk, played, NOON)], now=NOON)
    admin = call(shop.admin)
    at(NOON + timedelta(minutes=1, seconds=30))
    admin.patch(f"/api/schedules/{schedule.pk}/", {"interval_minutes": 30}, format="json")
    answer = ask(admin, schedule, from_=NOON, to=NOON + timedelta(minutes=31))
    told = [
        (each["at"][11:16], each["reason"], [(p["device"], p["status"], p["reason"]) for p in each["plays"]])
        for each in answer["occurrences"]
    ]
    assert told == [
        ("12:00", "", [(one.pk, "completed", "")]),
        ("12:00", "quiet_hours", [(other.pk, "failed", "quiet_hours")]),
        ("12:01", "", [(one.pk, "pending", ""), (other.pk, "pending", "")]),
        ("12:30", "", []),
    ]
    assert answer["occurrences"][1]["plays"][0]["message"] == "It was quiet hours."
    assert answer["occurrences"][0]["plays"][0]["started_at"] == "2026-07-01T12:00:00.000007Z"


def test_a_floor_user_hears_of_their_own_floor(shop: Any, call: Any) -> None:
    schedule = make_schedule(shop, floors=shop.floors)
    plan_ahead(now=NOON)
    for each in ask(call(shop.floor_user), schedule, to=NOON + timedelta(minutes=5))["occurrences"]:
        assert each["floors"] == [shop.floors[0].pk]
        assert each["devices"] == [shop.devices[0].pk]


def test_who_came_too_near(shop: Any, call: Any) -> None:
    change(shop.client, announcement_gap_minutes=10)
    hourly = make_schedule(shop, floors=shop.floors[:1], interval_minutes=60)
    after = timeline(shop, [(make_announcement(shop), 300)], floors=shop.floors[:1])
    (occurrence,) = ask(call(shop.admin), after, to=NOON + timedelta(hours=1))["occurrences"]
    assert (occurrence["reason"], occurrence["by"]) == ("least_gap", hourly.pk)


def test_one_that_is_off_says_so(shop: Any, call: Any) -> None:
    schedule = make_schedule(shop, floors=shop.floors, enabled=False, planned_until=None)
    answer = ask(call(shop.admin), schedule, to=NOON + timedelta(minutes=1))
    assert [each["reason"] for each in answer["occurrences"]] == ["disabled"]


def test_a_long_window_comes_in_pieces_without_hole_or_double(shop: Any, call: Any) -> None:
    schedule = make_schedule(shop, devices=shop.devices[:1], interval_minutes=5)
    plan_ahead(now=NOON)
    end, start, instants = NOON + timedelta(days=31), NOON.isoformat(), []
    while start is not None:
        response = call(shop.admin).get(
            f"/api/schedules/{schedule.pk}/occurrences/", {"from": start, "to": end.isoformat()}
        )
        piece = response.json()
        assert len(piece["occurrences"]) <= MOST
        instants += [each["at"] for each in piece["occurrences"]]
        start = piece["next_from"]
    assert len(instants) == 31 * 24 * 12
    assert instants == sorted(set(instants))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"from": "yesterday"}, ("from", "invalid")),
        ({"from": "2026-07-02T00:00Z", "to": "2026-07-01T00:00Z"}, ("to", "before_start")),
        ({"from": "2026-07-01T00:00Z", "to": "2026-08-01T00:01Z"}, ("to", "too_long")),
    ],
)
def test_windows_that_cannot_be(shop: Any, call: Any, query: dict[str, str], expected: Any) -> None:
    schedule = make_schedule(shop, floors=shop.floors)
    response = call(shop.admin).get(f"/api/schedules/{schedule.pk}/occurrences/", query)
    assert response.status_code == 400
    assert [(e["field"], e["code"]) for e in response.json()["errors"]] == [expected]


def test_a_window_costs_the_same_whatever_it_holds(shop: Any, call: Any) -> None:
    schedule = make_schedule(shop, floors=shop.floors)
    plan_ahead(now=NOON)
    admin = call(shop.admin)

    def queries(minutes: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            ask(admin, schedule, from_=NOON, to=NOON + timedelta(minutes=minutes))
        return len(captured)

    assert queries(3) == queries(600)


def test_the_time_of_a_locked_business_is_explained(shop: Any, call: Any, at: Any) -> None:
    schedule = make_schedule(shop, floors=[shop.floors[0]], interval_minutes=10)
    plan_ahead(now=NOON - timedelta(minutes=1))
    change(shop.client, status="suspended")
    for minutes in (9, 19, 29, 39):
        plan_ahead(now=NOON + timedelta(minutes=minutes))
    at(NOON + timedelta(minutes=42))
    with system_scope("test"):
        shop.client.status = "active"
        shop.client.save()
    plan_ahead(now=NOON + timedelta(minutes=42))
    plan_ahead(now=NOON + timedelta(minutes=50))
    at(NOON + timedelta(minutes=55))
    hour = {"from_": NOON, "to": NOON + timedelta(minutes=70)}
    told = [
        (each["at"][11:16], each["outcome"], each["reason"])
        for each in ask(call(shop.admin), schedule, **hour)["occurrences"]
    ]
    assert told == [
        ("12:00", "due", ""),
        *((f"12:{minute}", "suppressed", "client_locked") for minute in (10, 20, 30, 40)),
        ("12:50", "due", ""),
        ("13:00", "due", ""),
    ]
    window = {name.strip("_"): instant.isoformat() for name, instant in hour.items()}
    timeline_ = call(shop.admin).get(f"/api/floors/{shop.floors[0].pk}/timeline/", window).json()
    (silence,) = timeline_["silences"]
    assert (silence["reason"], silence["ends_at"][11:16]) == ("client_locked", "12:42")
    with system_scope("test"):
        assert ClientLock.objects.count() == 1
