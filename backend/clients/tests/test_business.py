"""One's own business over the API: who may read and set it, and what of it."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import AuditLog
from clients.models import Client

URL = "/api/business/"


def test_everybody_of_a_business_reads_it(shop: Any, call: Any) -> None:
    for person in (shop.admin, shop.floor_user):
        answer = call(person).get(URL)
        assert answer.status_code == 200
        assert answer.json()["id"] == shop.client.pk


def test_its_admin_sets_it_and_that_is_audited(shop: Any, call: Any, everything: None) -> None:
    body = {"timezone": "Asia/Kathmandu", "announcement_gap_minutes": 12, "description": "Corner"}
    answer = call(shop.admin).patch(URL, body)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in body} == body
    stored = Client.objects.get(pk=shop.client.pk)
    assert (stored.timezone, stored.announcement_gap_minutes) == ("Asia/Kathmandu", 12)
    entry = AuditLog.objects.get(resource="client", action="update")
    assert "Asia/Kathmandu" in entry.details
    assert entry.user_id == shop.admin.pk


@pytest.mark.parametrize(
    "body",
    [
        {"timezone": "Mars/Olympus"},
        {"announcement_gap_minutes": -1},
        {"announcement_gap_minutes": 721},
        {"name": ""},
    ],
)
def test_what_cannot_be_set(body: dict[str, Any], shop: Any, call: Any) -> None:
    answer = call(shop.admin).patch(URL, body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, next(iter(body)))


@pytest.mark.parametrize(
    "column", ["ai_credits", "max_floors", "status", "trial_ends_at", "multi_floor_enabled"]
)
def test_what_is_not_the_business_s_to_decide(column: str, shop: Any, call: Any, everything: None) -> None:
    before = getattr(shop.client, column)
    values = {"status": "active", "trial_ends_at": "2099-01-01T00:00:00Z", "multi_floor_enabled": False}
    assert call(shop.admin).patch(URL, {column: values.get(column, 999)}).status_code == 200
    assert getattr(Client.objects.get(pk=shop.client.pk), column) == before


def test_staff_have_no_business_of_their_own(staff: Any, call: Any) -> None:
    assert call(staff).get(URL).status_code == 404


def test_a_floor_user_may_not_set_it(shop: Any, call: Any) -> None:
    assert call(shop.floor_user).patch(URL, {"timezone": "UTC"}).status_code == 403
