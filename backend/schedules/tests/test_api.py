"""`/api/schedules/` as people use it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditLog
from common.tenancy import system_scope
from devices.hub import Frame
from devices.protocol import CancelAnnouncement, PlanChanged
from events.models import PlayEvent
from events.tests.support import make_announcement
from schedules.airing import plan_ahead
from schedules.models import Schedule
from schedules.tests.support import NOON, fresh, ledger_rows, make_schedule, timeline

URL = "/api/schedules/"

pytestmark = pytest.mark.usefixtures("at")


@pytest.fixture
def admin(shop: Any, call: Any) -> Any:
    """The client admin's API client."""
    return call(shop.admin)


def refusals(response: Any) -> set[tuple[str, str]]:
    """(field, code) of a 400."""
    assert response.status_code == 400, response.content
    return {(error["field"], error["code"]) for error in response.json()["errors"]}


def body(shop: Any, **fields: Any) -> dict[str, Any]:
    """An interval schedule on the ground floor that can fire."""
    return {
        "name": "Opening hours",
        "schedule_type": "interval",
        "interval_minutes": 15,
        "schedule_announcements": [{"announcement": make_announcement(shop).pk}],
        "floors": [shop.floors[0].pk],
    } | fields


def marks(*entries: tuple[Any, int | None]) -> list[dict[str, Any]]:
    """The list of a timeline."""
    return [{"announcement": row.pk, "timestamp_seconds": second} for row, second in entries]


# --- writing ---------------------------------------------------------------------------------------------


def test_an_interval_schedule_whole(shop: Any, admin: Any) -> None:
    one, two = make_announcement(shop), make_announcement(shop)
    response = admin.post(
        URL,
        body(
            shop,
            schedule_announcements=[{"announcement": two.pk}, {"announcement": one.pk}],
            devices=[shop.devices[1].pk],
            quiet_hours_start="22:00",
            quiet_hours_end="06:00",
            active_days=[5, 1, 3],
            exceptions=[
                {"start": "2026-12-24", "end": "2026-12-26", "note": "Christmas"},
                {"start": "2027-01-01"},
            ],
        ),
        format="json",
    )
    assert response.status_code == 201, response.content
    made = response.json()
    assert made["active_days"] == [1, 3, 5]
    assert [
        (e["announcement"], e["timestamp_seconds"], e["order"]) for e in made["schedule_announcements"]
    ] == [
        (two.pk, None, 0),
        (one.pk, None, 1),
    ]
    assert made["devices"] == [shop.devices[1].pk]
    assert made["floors"] == [shop.floors[0].pk]
    assert made["exceptions"] == [
        {"start": "2026-12-24", "end": "2026-12-26", "note": "Christmas"},
        {"start": "2027-01-01", "end": "2027-01-01", "note": ""},
    ]
    assert made["client"] == shop.client.pk
    assert made["avoid_repeat"] is True
    assert made["created_by"] == shop.admin.pk
    with system_scope("test"):
        entry = AuditLog.objects.get(action="set_parts")
    assert json.loads(entry.details)["after"]["floors"] == [shop.floors[0].pk]
    assert plan_ahead(now=NOON) == 2
    assert admin.get(f"{URL}{made['id']}/").json() == made


def test_a_timeline_and_a_change_of_type(shop: Any, admin: Any) -> None:
    one, two = make_announcement(shop), make_announcement(shop)
    made = admin.post(
        URL,
        body(
            shop,
            schedule_type="timeline",
            cycle_duration_minutes=30,
            schedule_announcements=marks((two, 600), (one, 0)),
        ),
        format="json",
    ).json()
    assert [e["timestamp_seconds"] for e in made["schedule_announcements"]] == [600, 0]
    response = admin.patch(f"{URL}{made['id']}/", {"schedule_type": "interval"}, format="json")
    assert response.status_code == 200, response.content
    assert [e["timestamp_seconds"] for e in response.json()["schedule_announcements"]] == [None, None]
    back = admin.patch(f"{URL}{made['id']}/", {"schedule_type": "timeline"}, format="json")
    assert refusals(back) == {("schedule_announcements.0.timestamp_seconds", "required")}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"interval_minutes": None}, ("interval_minutes", "required")),
        ({"interval_minutes": 0}, ("interval_minutes", "min_value")),
        ({"interval_minutes": 1441}, ("interval_minutes", "max_value")),
        ({"schedule_type": "timeline"}, ("cycle_duration_minutes", "required")),
        (
            {"schedule_type": "timeline", "cycle_duration_minutes": 10},
            ("schedule_announcements.0.timestamp_seconds", "required"),
        ),
        ({"schedule_type": "weekly"}, ("schedule_type", "invalid_choice")),
        ({"quiet_hours_start": "22:00"}, ("quiet_hours_end", "quiet_hours")),
        (
            {"quiet_hours_start": "22:00", "quiet_hours_end": "22:00"},
            ("quiet_hours_end", "quiet_hours"),
        ),
        ({"active_days": [1, 1]}, ("active_days", "duplicate")),
        ({"active_days": [0]}, ("active_days.0", "min_value")),
        ({"active_days": [8]}, ("active_days.0", "max_value")),
        (
            {"exceptions": [{"start": "2026-12-24", "end": "2026-12-23"}]},
            ("exceptions.0.end", "before_start"),
        ),
        ({"schedule_announcements": []}, ("schedule_announcements", "required")),
        ({"floors": []}, ("devices", "required")),
        ({"devices": [10**9]}, ("devices.0", "does_not_exist")),
        (
            {"interval_minutes": 1440, "quiet_hours_start": "23:00", "quiet_hours_end": "01:00"},
            ("quiet_hours_start", "never_fires"),
        ),
        (
            {"exceptions": [{"start": "2026-07-01", "end": "2028-07-01"}]},
            ("exceptions", "never_fires"),
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(
    shop: Any, admin: Any, fields: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert refusals(admin.post(URL, body(shop, **fields), format="json")) == {expected}
    with system_scope("test"):
        assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("second", "expected"),
    [(599, None), (600, "beyond_cycle"), (-1, "min_value")],
)
def test_seconds_beyond_the_cycle(shop: Any, admin: Any, second: int, expected: str | None) -> None:
    wanted = body(
        shop,
        schedule_type="timeline",
        cycle_duration_minutes=10,
        schedule_announcements=marks((make_announcement(shop), second)),
    )
    response = admin.post(URL, wanted, format="json")
    if expected is None:
        assert response.status_code == 201, response.content
        shorter = admin.patch(f"{URL}{response.json()['id']}/", {"cycle_duration_minutes": 5}, format="json")
        assert refusals(shorter) == {("schedule_announcements.0.timestamp_seconds", "beyond_cycle")}
    else:
        assert refusals(response) == {("schedule_announcements.0.timestamp_seconds", expected)}


def test_announcements_that_cannot_be_in_it(shop: Any, admin: Any) -> None:
    generating = make_announcement(shop, status="generating", audio_file="")
    failed = make_announcement(shop, status="failed", audio_file="", failure_detail="The voice was lost.")
    off, good = make_announcement(shop, enabled=False), make_announcement(shop)
    cases = {
        (generating,): ("schedule_announcements.0.announcement", "not_ready"),
        (good, failed): ("schedule_announcements.1.announcement", "not_ready"),
        (good, good): ("schedule_announcements.1", "duplicate"),
        (off,): ("schedule_announcements", "never_fires"),
    }
    for rows, expected in cases.items():
        entries = [{"announcement": row.pk} for row in rows]
        response = admin.post(URL, body(shop, schedule_announcements=entries), format="json")
        assert refusals(response) == {expected}
    entries = [{"announcement": good.pk, "timestamp_seconds": 3}]
    assert refusals(admin.post(URL, body(shop, schedule_announcements=entries), format="json")) == {
        ("schedule_announcements.0.timestamp_seconds", "not_for_type")
    }


def test_the_quiet_hours_of_all_its_floors_are_told(shop: Any, admin: Any) -> None:
    with system_scope("test data"):
        type(shop.floors[0]).objects.filter(pk=shop.floors[0].pk).update(
            quiet_hours_start="23:00", quiet_hours_end="01:00"
        )
    midnight = body(shop, interval_minutes=1440)
    assert refusals(admin.post(URL, midnight, format="json")) == {("floors", "never_fires")}
    midnight["floors"] = [floor.pk for floor in shop.floors]
    assert admin.post(URL, midnight, format="json").status_code == 201


def test_a_draft_that_is_off_may_be_incomplete_and_says_why_it_cannot_be_switched_on(
    shop: Any, admin: Any
) -> None:
    draft = admin.post(
        URL,
        {"name": "Draft", "schedule_type": "interval", "interval_minutes": 5, "enabled": False},
        format="json",
    )
    assert draft.status_code == 201, draft.content
    path = f"{URL}{draft.json()['id']}/"
    assert refusals(admin.post(f"{path}toggle/")) == {("schedule_announcements", "required")}
    rest = {
        "schedule_announcements": [{"announcement": make_announcement(shop).pk}],
        "devices": [shop.devices[0].pk],
    }
    assert admin.patch(path, rest, format="json").status_code == 200
    assert admin.post(f"{path}toggle/").json()["enabled"] is True
    assert admin.post(f"{path}toggle/").json()["enabled"] is False


def test_a_retry_with_the_same_key_makes_one(shop: Any, admin: Any) -> None:
    wanted = body(shop)
    first, second = (
        admin.post(URL, wanted, format="json", headers={"Idempotency-Key": "k1"}) for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    with system_scope("test"):
        assert Schedule.objects.count() == 1


# --- who may ---------------------------------------------------------------------------------------------


def test_who_sees_and_who_writes(shop: Any, other_shop: Any, call: Any) -> None:
    on_ground = make_schedule(shop, floors=[shop.floors[0]])
    by_device = make_schedule(shop, devices=shop.devices)
    upstairs = make_schedule(shop, floors=[shop.floors[1]])
    foreign = make_schedule(other_shop, floors=other_shop.floors)
    floor_user, admin = call(shop.floor_user), call(shop.admin)
    assert {row["id"] for row in floor_user.get(URL).json()["results"]} == {on_ground.pk, by_device.pk}
    assert {row["id"] for row in admin.get(URL).json()["results"]} == {
        on_ground.pk,
        by_device.pk,
        upstairs.pk,
    }
    seen = floor_user.get(f"{URL}{by_device.pk}/").json()
    assert seen["devices"] == [shop.devices[0].pk], "another floor's devices are not told"
    assert floor_user.get(f"{URL}{upstairs.pk}/").status_code == 404
    assert admin.get(f"{URL}{foreign.pk}/").status_code == 404
    for method, path in (("patch", ""), ("delete", ""), ("post", "toggle/")):
        assert getattr(floor_user, method)(f"{URL}{on_ground.pk}/{path}", {}).status_code == 403
        assert getattr(admin, method)(f"{URL}{foreign.pk}/{path}", {}).status_code == 404
    assert floor_user.post(URL, body(shop), format="json").status_code == 403
    assert call(None).get(URL).status_code == 401


@pytest.mark.parametrize("field", ["devices", "floors", "schedule_announcements"])
def test_another_tenants_rows_in_a_body(
    shop: Any, other_shop: Any, admin: Any, call: Any, staff: Any, field: str
) -> None:
    foreign: dict[str, Any] = {
        "devices": [other_shop.devices[0].pk],
        "floors": [other_shop.floors[0].pk],
        "schedule_announcements": [{"announcement": make_announcement(other_shop).pk}],
    }
    wanted = body(shop) | {field: foreign[field]}
    place = f"{field}.0.announcement" if field == "schedule_announcements" else f"{field}.0"
    assert refusals(admin.post(URL, wanted, format="json")) == {(place, "does_not_exist")}
    by_staff = call(staff).post(URL, wanted | {"client": shop.client.pk}, format="json")
    assert {code for _, code in refusals(by_staff)} == {"other_client"}


# --- lists -----------------------------------------------------------------------------------------------


def test_filters_search_and_ordering(shop: Any, admin: Any) -> None:
    words = make_announcement(shop, title="The till closes")
    ground = make_schedule(shop, [words], floors=[shop.floors[0]], enabled=False)
    upper = timeline(shop, [(make_announcement(shop), 0)], devices=[shop.devices[1]], name="Every quarter")
    both = make_schedule(shop, floors=shop.floors)
    cases = {
        f"floor={shop.floors[0].pk}": {ground.pk, both.pk},
        f"floor={shop.floors[1].pk}": {upper.pk, both.pk},
        f"device={shop.devices[1].pk}": {upper.pk, both.pk},
        f"announcement={words.pk}": {ground.pk},
        "enabled=false": {ground.pk},
        "schedule_type=timeline": {upper.pk},
        "search=till": {ground.pk},
        f"search={upper.name}": {upper.pk},
    }
    for query, expected in cases.items():
        assert {row["id"] for row in admin.get(f"{URL}?{query}").json()["results"]} == expected, query
    ordered = [row["id"] for row in admin.get(f"{URL}?ordering=-created_at").json()["results"]]
    assert ordered == [both.pk, upper.pk, ground.pk]


def test_a_list_costs_the_same_whatever_it_holds(shop: Any, admin: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(URL).status_code == 200
        return len(captured)

    make_schedule(shop, floors=shop.floors, devices=shop.devices)
    few = queries()
    for _ in range(5):
        make_schedule(
            shop, [make_announcement(shop) for _ in range(3)], floors=shop.floors, devices=shop.devices
        )
    assert queries() == few


# --- what changes do to what was written ahead -----------------------------------------------------------


def messages(published: list[Any], kind: type[Any]) -> list[Any]:
    """The frames with this message."""
    return [each for each in published if isinstance(each, Frame) and isinstance(each.message, kind)]


def test_switching_off_takes_back_and_tells(shop: Any, admin: Any, published: list[Any], commit: Any) -> None:
    schedule = make_schedule(shop, floors=[shop.floors[0]], planned_until=NOON + timedelta(seconds=1))
    plan_ahead(now=NOON)
    with commit():
        assert admin.post(f"{URL}{schedule.pk}/toggle/").status_code == 200
    assert [frame.devices for frame in messages(published, PlanChanged)] == [[shop.devices[0].pk]]
    with commit():
        plan_ahead(now=NOON)
    assert ledger_rows() == [("12:01:00", shop.devices[0].pk, "failed", "superseded")]
    (cancel,) = messages(published, CancelAnnouncement)
    with system_scope("test"):
        event = PlayEvent.objects.get()
    assert cancel.message.event_id == str(event.pk)
    assert (fresh(schedule).planned_until, fresh(schedule).stale) == (None, False)


def test_what_still_holds_stays_and_what_is_new_is_added(shop: Any, admin: Any) -> None:
    schedule = timeline(
        shop,
        [(make_announcement(shop), 30), (make_announcement(shop), 40)],
        minutes=1,
        devices=[shop.devices[0]],
    )
    plan_ahead(now=NOON)
    entries = admin.get(f"{URL}{schedule.pk}/").json()["schedule_announcements"]
    wanted = [
        {"announcement": entries[0]["announcement"], "timestamp_seconds": 30},
        {"announcement": entries[0]["announcement"], "timestamp_seconds": 40},
        {"announcement": entries[1]["announcement"], "timestamp_seconds": 50},
    ]
    changed = admin.patch(f"{URL}{schedule.pk}/", {"schedule_announcements": wanted}, format="json")
    assert changed.status_code == 200, changed.content
    plan_ahead(now=NOON)
    assert [(row[0], row[3]) for row in ledger_rows()] == [
        ("12:00:30", ""),
        ("12:00:40", "superseded"),
        ("12:00:50", ""),
    ]


def test_deleting_takes_back_at_once_and_keeps_the_past(shop: Any, admin: Any) -> None:
    schedule = make_schedule(shop, devices=[shop.devices[0]])
    plan_ahead(now=NOON)
    assert admin.delete(f"{URL}{schedule.pk}/").status_code == 204
    assert [(row[0], row[2], row[3]) for row in ledger_rows()] == [
        ("12:00:00", "pending", ""),  # it is starting
        ("12:01:00", "failed", "superseded"),
    ]


@pytest.mark.parametrize("change", ["announcement off", "announcement gone", "device moved"])
def test_changes_from_below_are_followed(shop: Any, admin: Any, at: Any, change: str) -> None:
    words, device = make_announcement(shop), shop.devices[0]
    schedule = make_schedule(
        shop, [words], floors=[shop.floors[0]], planned_until=NOON + timedelta(seconds=1)
    )
    plan_ahead(now=NOON)
    assert [row[2] for row in ledger_rows()] == ["pending"]
    calls = {
        "announcement off": lambda: admin.patch(f"/api/announcements/{words.pk}/", {"enabled": False}),
        "announcement gone": lambda: admin.delete(f"/api/announcements/{words.pk}/"),
        "device moved": lambda: admin.patch(f"/api/devices/{device.pk}/", {"floor": shop.floors[1].pk}),
    }
    at(NOON + timedelta(seconds=1))
    assert calls[change]().status_code in {200, 204}
    assert fresh(schedule).stale
    plan_ahead(now=NOON)
    expected = {
        "announcement off": ("failed", "no_announcement"),
        "announcement gone": ("failed", "no_announcement"),
        "device moved": ("failed", "superseded"),
    }
    assert [row[2:] for row in ledger_rows()] == [expected[change]]


def test_a_device_hung_up_later_belongs_at_once(shop: Any, admin: Any, at: Any) -> None:
    make_schedule(shop, floors=[shop.floors[0]], planned_until=NOON + timedelta(seconds=1))
    plan_ahead(now=NOON)
    at(NOON + timedelta(seconds=1))
    made = admin.post("/api/devices/", {"name": "New", "floor": shop.floors[0].pk}, format="json")
    assert made.status_code == 201, made.content
    plan_ahead(now=NOON)
    assert [(row[0], row[2]) for row in ledger_rows()] == [("12:01:00", "pending")] * 2
