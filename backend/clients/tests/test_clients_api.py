"""Businesses as staff keep them: making, finding, changing, and the trial's end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.dateparse import parse_datetime

from audit.models import AuditLog
from clients import services
from clients.models import Client
from common import clock
from common.tenancy import system_scope
from conftest import make_business
from devices.models import Device

URL = "/api/clients/"
DAY = timedelta(days=1)
NEW = {"business_name": "New Ltd", "email": "New@Example.com", "telephone": "+44 1"}


def stored(client: Client) -> Client:
    with system_scope("the test looks at the database itself"):
        return Client.objects.get(pk=client.pk)


def actions(client: Client) -> list[str]:
    with system_scope("the test reads the trail"):
        return list(AuditLog.objects.filter(client=client).order_by("pk").values_list("action", flat=True))


# --- making ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "status", "subscription", "days"),
    [
        ({}, "trial", "trial", 14),
        ({"trial_days": 30}, "trial", "trial", 30),
        ({"status": "trial", "trial_ends_at": None}, "trial", "trial", None),
        ({"status": "active"}, "active", "active", None),
        ({"status": "active", "subscription_status": "past_due"}, "active", "past_due", None),
    ],
)
def test_a_new_business(
    call: Any, staff: Any, more: Any, status: str, subscription: str, days: int | None
) -> None:
    before = clock.now()
    answer = call(staff).post(URL, NEW | more, format="json")
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["name"], body["email"]) == ("New Ltd", "new@example.com")
    assert (body["status"], body["subscription_status"], body["lock"]) == (status, subscription, None)
    counts = {name: body[name] for name in ("floors_count", "devices_count", "devices_online", "users_count")}
    assert set(counts.values()) == {0}
    ends_at = parse_datetime(body["trial_ends_at"] or "")
    assert (ends_at is None) == (days is None)
    if ends_at is not None and days is not None:
        assert before <= ends_at - days * DAY <= clock.now()


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"email": "taken"}, "email", "unique"),
        ({"email": "nobody"}, "email", "invalid"),
        ({"business_name": " "}, "business_name", "blank"),
        ({"status": "closed"}, "status", "invalid_choice"),
        ({"subscription_status": "gold"}, "subscription_status", "invalid_choice"),
        ({"timezone": "Mars/Olympus"}, "timezone", "unknown_time_zone"),
        ({"trial_days": 0}, "trial_days", "min_value"),
        ({"trial_days": 400}, "trial_days", "max_value"),
        ({"trial_ends_at": "2020-01-01T00:00:00Z"}, "trial_ends_at", "trial_over"),
        ({"ai_credits": -1}, "ai_credits", "min_value"),
        ({"max_floors": 0}, "max_floors", "min_value"),
        ({"max_floors": 2**40}, "max_floors", "max_value"),
        ({"subscription_price": "-1"}, "subscription_price", "min_value"),
    ],
)
def test_what_is_refused_says_why(call: Any, staff: Any, shop: Any, body: Any, field: str, code: str) -> None:
    if body.get("email") == "taken":
        body = {"email": shop.client.email.upper()}
    answer = call(staff).post(URL, NEW | body, format="json")
    assert answer.status_code == 400
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]


# --- finding ---------------------------------------------------------------------------------------------


@pytest.fixture
def many(db: None) -> dict[str, Client]:
    """Businesses in every state, by name."""
    now = clock.now()
    trials = {"ends in an hour": 1 / 24, "ends in six days": 6, "ends in a month": 30, "has ended": -1}
    made = {
        name: make_business(name, status="trial", trial_ends_at=now + days * DAY)
        for name, days in trials.items()
    }
    made["endless"] = make_business("endless", status="trial", trial_ends_at=None)
    made["paying"] = make_business("paying", subscription_status="active")
    made["suspended"] = make_business("suspended", status="suspended")
    made["condemned"] = make_business("condemned", deletion_requested_at=now)
    return {name: business.client for name, business in made.items()}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=active", {"paying", "condemned"}),
        ("status=suspended", {"suspended"}),
        ("subscription_status=active", {"paying"}),
        ("trial_ends_within_days=7", {"ends in an hour", "ends in six days"}),
        ("trial_ends_within_days=0", set()),
        ("locked=true", {"has ended", "suspended", "condemned"}),
        (
            "locked=false",
            {"ends in an hour", "ends in six days", "ends in a month", "endless", "paying"},
        ),
        ("deleting=true", {"condemned"}),
        ("search=ends in", {"ends in an hour", "ends in six days", "ends in a month"}),
        ("search=pay", {"paying"}),
    ],
)
def test_lists(call: Any, staff: Any, many: dict[str, Client], query: str, found: set[str]) -> None:
    answer = call(staff).get(f"{URL}?{query}")
    assert {row["name"] for row in answer.json()["results"]} == found


def test_before_and_after_an_instant(call: Any, staff: Any, many: dict[str, Client]) -> None:
    until = {
        "trial_ends_before": (clock.now() + DAY).isoformat(),
        "trial_ends_after": clock.now().isoformat(),
    }
    rows = call(staff).get(URL, until | {"status": "trial"}).json()["results"]
    assert [row["name"] for row in rows] == ["ends in an hour"]


@pytest.mark.parametrize(
    "query", ["trial_ends_within_days=x", "trial_ends_within_days=99999999", "status=gone"]
)
def test_a_filter_that_makes_no_sense_is_400(call: Any, staff: Any, query: str) -> None:
    assert call(staff).get(f"{URL}?{query}").status_code == 400


def test_order_and_counts(call: Any, staff: Any) -> None:
    busy, calm = make_business("busy"), make_business("calm")
    with system_scope("test data"):
        Device.objects.filter(pk=busy.devices[0].pk).update(last_seen=clock.now())
        calm.devices[0].delete()
    rows = call(staff).get(f"{URL}?ordering=-devices_online,name").json()["results"]
    seen = [
        (row["name"], row["floors_count"], row["devices_count"], row["devices_online"], row["users_count"])
        for row in rows
    ]
    assert seen == [("busy", 2, 2, 1, 2), ("calm", 2, 1, 0, 2)]
    one = call(staff).get(f"{URL}{busy.client.pk}/").json()
    assert one == rows[0]


def test_the_number_of_queries_does_not_grow(call: Any, staff: Any, shop: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert call(staff).get(URL).status_code == 200
        return len(seen)

    few = queries()
    for _ in range(5):
        make_business()
    assert queries() == few


# --- changing --------------------------------------------------------------------------------------------


def test_status_and_subscription_move_together(call: Any, staff: Any) -> None:
    client = make_business(status="trial").client
    steps = [
        ({"status": "suspended"}, ("suspended", "trial"), "client_suspended"),
        ({"status": "active"}, ("active", "active"), None),
        ({"status": "suspended"}, ("suspended", "active"), "client_suspended"),
        ({"status": "trial"}, ("trial", "trial"), None),
        ({"status": "active", "subscription_status": "past_due"}, ("active", "past_due"), None),
        ({"status": "active"}, ("active", "past_due"), None),
    ]
    for body, expected, lock in steps:
        answer = call(staff).patch(f"{URL}{client.pk}/", body, format="json")
        assert answer.status_code == 200, answer.json()
        row = answer.json()
        assert (row["status"], row["subscription_status"]) == expected
        assert (row["lock"] or {}).get("code") == lock


def test_a_trial_cannot_be_set_into_the_past(call: Any, staff: Any) -> None:
    client = make_business(status="suspended", trial_ends_at=clock.now() - DAY).client
    url = f"{URL}{client.pk}/"
    for body in ({"status": "trial"}, {"status": "trial", "trial_ends_at": "2020-01-01T00:00:00Z"}):
        answer = call(staff).patch(url, body, format="json")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == "trial_over"
    assert call(staff).patch(url, {"telephone": "2"}, format="json").status_code == 200
    later = (clock.now() + DAY).isoformat()
    assert (
        call(staff).patch(url, {"status": "trial", "trial_ends_at": later}, format="json").status_code == 200
    )


def test_an_address_belongs_to_one_business(call: Any, staff: Any, shop: Any, other_shop: Any) -> None:
    url = f"{URL}{shop.client.pk}/"
    taken = call(staff).patch(url, {"email": other_shop.client.email.upper()}, format="json")
    assert (taken.status_code, taken.json()["errors"][0]["code"]) == (400, "unique")
    own = call(staff).patch(url, {"email": shop.client.email.upper()}, format="json")
    assert (own.status_code, own.json()["email"]) == (200, shop.client.email)


def test_a_change_is_on_record_with_before_and_after(
    call: Any, staff: Any, shop: Any, everything: None
) -> None:
    call(staff).patch(f"{URL}{shop.client.pk}/", {"status": "suspended", "max_floors": 9}, format="json")
    entry = AuditLog.objects.get(resource="client", action="update")
    assert (entry.user_id, entry.client_id) == (staff.pk, shop.client.pk)
    assert '"before": {"status": "active", "max_floors": 5}' in entry.details
    assert '"after": {"status": "suspended", "max_floors": 9}' in entry.details


# --- trials ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "ends_in", "code"),
    [
        ({"status": "trial", "trial_ends_at": 3}, 10, None),
        ({"status": "trial", "trial_ends_at": -3}, 7, None),
        ({"status": "suspended", "subscription_status": "trial_ended", "trial_ends_at": -3}, 7, None),
        ({"status": "trial", "trial_ends_at": None}, None, "not_on_trial"),
        ({"status": "suspended", "subscription_status": "trial", "trial_ends_at": 3}, 3, "not_on_trial"),
        ({"status": "active", "subscription_status": "active", "trial_ends_at": 3}, 3, "not_on_trial"),
    ],
)
def test_extending(call: Any, staff: Any, facts: Any, ends_in: int | None, code: str | None) -> None:
    now = clock.now()
    days = facts["trial_ends_at"]
    client = make_business(**facts | {"trial_ends_at": None if days is None else now + days * DAY}).client
    answer = call(staff).post(f"{URL}{client.pk}/extend-trial/", {"days": 7}, format="json")
    assert answer.json().get("code") == code
    row = stored(client)
    if ends_in is None:
        assert row.trial_ends_at is None
    else:
        assert row.trial_ends_at is not None
        assert abs(row.trial_ends_at - now - ends_in * DAY) < timedelta(minutes=1)
    if code is None:
        assert (row.status, row.subscription_status, row.lock()) == ("trial", "trial", None)
        assert actions(client)[-2:] == ["extend_trial", "update"]


@pytest.mark.parametrize("days", [0, -1, 366, "x", None])
def test_extending_by_nonsense(call: Any, staff: Any, days: Any) -> None:
    client = make_business(status="trial").client
    answer = call(staff).post(f"{URL}{client.pk}/extend-trial/", {"days": days}, format="json")
    assert answer.status_code == 400


def test_a_trial_that_has_ended_is_closed_once_and_told_as_such(many: dict[str, Client]) -> None:
    now = clock.now()
    assert [services.close_lapsed_trials(now=now) for _ in range(2)] == [1, 0]
    ended = stored(many["has ended"])
    assert (ended.status, ended.subscription_status) == ("suspended", "trial_ended")
    lock = ended.lock(now)
    assert lock is not None
    assert lock.code == "trial_ended"
    assert actions(ended)[-2:] == ["trial_ended", "update"]
    others = {name: client.status for name, client in many.items() if name != "has ended"}
    assert {name: stored(many[name]).status for name in others} == others
    later = now + 7 * DAY
    assert services.close_lapsed_trials(now=later) == 2
    assert stored(many["endless"]).status == "trial"
