"""`/api/play-events/summary/`: plays in numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common.tenancy import system_scope
from events.domain import ledger
from events.tests.support import NOW, make_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at")]
URL = "/api/play-events/summary/"
WEEK = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-08T00:00:00Z"}


def test_by_day_speaker_and_reason(call, shop, other_shop):
    ground, upper = shop.devices
    with system_scope("test data"):
        shop.client.timezone = "Asia/Tokyo"
        shop.client.save()
    evening = NOW.replace(hour=20)  # the next morning in Tokyo
    make_event(shop, device=ground, status=ledger.COMPLETED, play_at=NOW)
    make_event(shop, device=ground, status=ledger.COMPLETED, play_at=evening)
    make_event(shop, device=upper, status=ledger.FAILED, reason="offline", play_at=evening)
    make_event(shop, device=upper, status=ledger.FAILED, reason="quiet_hours", play_at=evening)
    make_event(shop, device=upper, status=ledger.PENDING, play_at=evening)
    make_event(shop, device=upper, status=ledger.COMPLETED, play_at=NOW + timedelta(days=30))
    make_event(other_shop, status=ledger.COMPLETED, play_at=NOW)

    answer = call(shop.admin).get(URL, WEEK).json()
    columns = ("completed", "failed", "open", "unreached", "left_out")
    assert answer["timezone"] == "Asia/Tokyo"
    assert {each["day"]: [each[name] for name in columns] for each in answer["days"]} == {
        "2026-03-02": [1, 0, 0, 0, 0],
        "2026-03-03": [1, 2, 1, 1, 1],
    }
    assert {each["device"]: [each[name] for name in columns] for each in answer["devices"]} == {
        ground.pk: [2, 0, 0, 0, 0],
        upper.pk: [0, 2, 1, 1, 1],
    }
    assert [(each["reason"], each["number"]) for each in answer["reasons"]] == [
        ("offline", 1),
        ("quiet_hours", 1),
    ]
    one = call(shop.admin).get(URL, WEEK | {"device": ground.pk}).json()
    assert [each["device"] for each in one["devices"]] == [ground.pk]


def test_a_floor_user_counts_the_own_floor(call, shop):
    for device in shop.devices:
        make_event(shop, device=device, status=ledger.COMPLETED)
    answer = call(shop.floor_user).get(URL, WEEK).json()
    assert [each["completed"] for each in answer["days"]] == [1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ("from", "required")),
        (WEEK | {"to": "2026-07-01T00:00:00Z"}, ("to", "too_long")),
        (WEEK | {"to": "2026-02-01T00:00:00Z"}, ("to", "before_start")),
    ],
)
def test_windows_that_cannot_be(call, shop, query, expected):
    answer = call(shop.admin).get(URL, query)
    assert answer.status_code == 400
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [expected]
